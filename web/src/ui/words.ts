import { define } from "~/text/words";

export const words = define(
  {
    close: "Close",
    cancel: "Cancel",
    retry: "Try again",
    copy: "Copy",
    copied: "Copied",
    dismiss: "Dismiss",
    news: "News",
    loading: "Loading…",
  },
  {
    close: "Fermer",
    cancel: "Annuler",
    retry: "Réessayer",
    copy: "Copier",
    copied: "Copié",
    dismiss: "Masquer",
    news: "Nouvelles",
    loading: "Chargement…",
  },
);
