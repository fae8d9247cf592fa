import { useEffect, useState } from "react";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { useStore } from "./store";
import type { Studio } from "./studio";
import { words } from "./words";

const TICK_MS = 100;
const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** What is waited for, and for how long already; while nothing is, how the keyboard speaks. */
export function Status({ studio }: { studio: Studio }) {
  const w = useWords(words);
  const { phase, isLoading, startedAt } = useStore(studio);
  const word = phase === "speaking" ? w.speaking : isLoading ? w.loading : w.waiting;
  return (
    <p className="flex min-w-0 items-center gap-2 text-sm text-soft">
      {/* Only the words are told aloud, not each tick. */}
      <span role="status" data-waiting={phase === "waiting" ? (isLoading ? "load" : "sound") : undefined}>
        {phase === "idle" ? "" : word}
      </span>
      {phase === "waiting" && <Elapsed since={startedAt} />}
      {phase === "idle" && <span className="hidden sm:inline">{w.keys(isApple ? "⌘ Enter" : "Ctrl + Enter")}</span>}
    </p>
  );
}

function Elapsed({ since }: { since: number }) {
  const format = useFormats();
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, now - since) / 1000;
  return (
    <span aria-hidden className="inline-block min-w-[3.2em] text-right">
      {format.number(seconds, { minimumFractionDigits: 1, maximumFractionDigits: 1 })} s
    </span>
  );
}
