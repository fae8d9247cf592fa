import { useLink } from "~/live/store";
import { useWords } from "~/text/words";
import { classes } from "~/ui/classes";
import { words } from "./words";

/** Whether what is shown is live. */
export function LinkMark() {
  const w = useWords(words);
  const link = useLink();
  const word = { connecting: w.connecting, open: w.live, lost: w.reconnecting }[link];
  return (
    <span role="status" data-link={link} title={link === "lost" ? w.lost : undefined} className="flex items-center gap-1.5">
      <span
        aria-hidden
        className={classes("size-2 rounded-full", link === "open" ? "bg-accent" : "animate-pulse bg-warning")}
      />
      {word}
    </span>
  );
}
