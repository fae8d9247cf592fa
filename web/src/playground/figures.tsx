import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import type { Shown } from "./studio";
import { words } from "./take-words";

/** How fast it was, as this browser measured it; each figure keeps its place while it changes. */
export function Figures({ shown }: { shown: Shown }) {
  const w = useWords(words);
  const format = useFormats();
  const { firstAudioMs, loadMs, elapsedMs } = shown.metrics;
  const { seconds } = shown.recording;
  const factor = seconds ? (elapsedMs - loadMs) / 1000 / seconds : null;
  const firstAudio = firstAudioMs === null ? "–" : w.milliseconds(format.number(Math.round(firstAudioMs)));
  const digits = (value: number, count: number) =>
    format.number(value, { minimumFractionDigits: count, maximumFractionDigits: count });
  return (
    <dl
      data-first-audio-ms={firstAudioMs ?? ""}
      data-seconds={seconds}
      data-factor={factor ?? ""}
      className="order-last flex w-full flex-wrap gap-x-5 gap-y-1 text-[13px] sm:order-none sm:w-auto"
    >
      <Figure term={w.firstAudio} title={w.firstAudioTitle} value={firstAudio} />
      {loadMs > 0 && <Figure term={w.load} title={w.loadTitle} value={w.milliseconds(digits(loadMs, 0))} />}
      <Figure term={w.length} value={w.seconds(digits(seconds, 1))} />
      <Figure term={w.factor} title={w.factorTitle} value={factor === null ? "–" : digits(factor, 2)} />
    </dl>
  );
}

function Figure({ term, title, value }: { term: string; title?: string; value: string }) {
  return (
    <div title={title}>
      <dt className="text-soft">{term}</dt>
      <dd className="min-w-[4.5em] font-medium">{value}</dd>
    </div>
  );
}
