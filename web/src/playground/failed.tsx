import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { ErrorNote } from "~/ui/notes";
import { useStore } from "./store";
import type { Failure, Studio } from "./studio";
import { words } from "./take-words";
import { words as pageWords } from "./words";

/** What passes by itself when it is asked again at the time that the server tells. */
const PASSING = ["models_busy", "model_loading"];
const NOT_HERE = ["model_not_installed", "model_not_found", "variant_not_found", "model_damaged"];

export function Failed({ studio, again }: { studio: Studio; again: () => void }) {
  const w = useWords(words);
  const p = useWords(pageWords);
  const { failure } = useStore(studio);
  if (!failure) return null;
  const { code } = failure.error;
  return (
    <ErrorNote
      error={failure.error}
      actions={
        <>
          {PASSING.includes(code) && failure.retryAt !== null && <Countdown failure={failure} again={again} />}
          <Button size="small" onClick={again}>{w.retryNow}</Button>
          {NOT_HERE.includes(code) && (
            <Link to="/" className="inline-flex h-8 items-center px-1 text-[13px] font-medium text-accent-ink underline">
              {p.toModels}
            </Link>
          )}
          <Button size="small" look="quiet" onClick={() => studio.dismiss()}>{w.dismiss}</Button>
        </>
      }
    />
  );
}

function Countdown({ failure, again }: { failure: Failure; again: () => void }) {
  const w = useWords(words);
  const format = useFormats();
  const left = () => Math.max(0, Math.ceil(((failure.retryAt ?? 0) - performance.now()) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    const timer = setInterval(() => setSeconds(left()), 250);
    return () => clearInterval(timer);
  });
  useEffect(() => {
    if (seconds === 0) again();
    // By the time alone: `again` is another function at each drawing.
  }, [seconds]);
  return (
    <p data-retries-in={seconds} className="w-full">
      {/* The whole note is an alert: a number in it that changes would be read out each second. */}
      <span aria-hidden>{w.retriesIn(format.number(seconds))}</span>
      <span className="sr-only">{w.retries}</span>
    </p>
  );
}
