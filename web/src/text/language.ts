import { useSyncExternalStore } from "react";
import { preference } from "./preferences";

export type Language = "en" | "fr";
export const LANGUAGES: readonly Language[] = ["en", "fr"];

/** The browser's language until another one is chosen in the settings. */
export const language = preference<Language | "system">("language", ["system", ...LANGUAGES], () => "system");

export function currentLanguage(): Language {
  const chosen = language.get();
  if (chosen !== "system") return chosen;
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2));
  return LANGUAGES.find((known) => known === wanted.find((tag) => LANGUAGES.includes(tag as Language))) ?? "en";
}

export function useLanguage(): Language {
  return useSyncExternalStore(language.subscribe, currentLanguage);
}

/** Keeps <html lang> true, for screen readers and hyphenation. */
export function followLanguage(): void {
  const apply = () => (document.documentElement.lang = currentLanguage());
  apply();
  language.subscribe(apply);
}
