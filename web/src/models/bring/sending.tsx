import { CircleCheck, LoaderCircle } from "~/ui/icons";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { ProgressBar } from "~/ui/progress-bar";
import type { Step } from "./importing";
import { words } from "./words";

/** How far the files are on their way. */
export function Sending({ step, id }: { step: Step; id: string }) {
  const w = useWords(words);
  const format = useFormats();
  if (step.at === "sending") {
    const percent = step.totalBytes ? (100 * step.sentBytes) / step.totalBytes : 100;
    return (
      <div>
        <ProgressBar percent={Math.min(percent, 100)} label={w.sending} />
        <p className="mt-1.5 flex gap-4 text-[13px] text-soft">
          <span className="w-44 text-ink">{w.ofTotal(format.bytes(step.sentBytes), format.bytes(step.totalBytes))}</span>
          <span className="w-14 text-ink">{format.percent(percent)}</span>
          <span className="min-w-0 flex-1 truncate text-right font-mono text-xs">{step.path}</span>
        </p>
      </div>
    );
  }
  if (step.at === "installing")
    return (
      <p role="status" className="flex items-center gap-2.5 text-sm">
        <LoaderCircle className="size-5 shrink-0 animate-spin text-accent" aria-hidden />
        {w.installing}
      </p>
    );
  if (step.at !== "done") return null;
  return (
    <div role="status" className="text-sm">
      <p className="flex items-center gap-2.5">
        <CircleCheck className="size-5 shrink-0 text-accent" aria-hidden />
        {w.done(id)}
      </p>
      {step.view.unverified.length > 0 && <p className="mt-2 text-soft">{w.unverified(step.view.unverified.join(", "))}</p>}
    </div>
  );
}
