import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Badge } from "~/ui/badge";
import { ProgressBar } from "~/ui/progress-bar";
import { useStalled } from "./stalled";
import { words } from "./words";

/** How far a pull is. Each number has a place of its own width: nothing moves while they change. */
export function TransferLine({ model, place }: { model: Model; place: number | undefined }) {
  const w = useWords(words);
  const format = useFormats();
  const { transfer, state } = model;
  const isFetching = state === "downloading" && transfer?.phase === "downloading";
  const stalled = useStalled(transfer?.done_bytes ?? 0, isFetching);
  const isStill = state === "queued" || state === "paused" || stalled;
  const label = state === "verifying" ? w.checkOf(model.id) : w.progressOf(model.id);
  const total = transfer?.total_bytes ?? model.size_bytes;
  const files = transfer?.files ?? [];
  return (
    <div className="mt-2.5" data-stalled={stalled || undefined} data-done={transfer?.done_bytes}>
      <ProgressBar percent={transfer ? transfer.percent : state === "downloading" ? null : 0} label={label} still={isStill} />
      <div className="mt-1.5 grid grid-cols-[1fr_7rem] gap-x-4 text-[13px] text-soft sm:flex">
        <span className="text-ink sm:w-44" title={transfer ? format.exactBytes(transfer.done_bytes) : undefined}>
          {total === null ? format.bytes(transfer?.done_bytes ?? 0) : w.ofTotal(format.bytes(transfer?.done_bytes ?? 0), format.bytes(total))}
        </span>
        <span className="text-ink sm:w-14">{transfer?.percent == null ? "" : format.percent(transfer.percent)}</span>
        {isFetching && !stalled ? (
          <>
            <span className="sm:w-20">{format.speed(transfer.speed_bytes_s)}</span>
            <span className="sm:w-28">{transfer.eta_s === null ? "" : w.left(format.duration(transfer.eta_s))}</span>
          </>
        ) : (
          <Standing model={model} place={place} stalled={stalled} />
        )}
        <span className="col-span-2 flex min-w-0 flex-1 items-center justify-end gap-2 max-sm:justify-start">
          {(transfer?.attempt ?? 1) > 1 && (
            <Badge title={w.attemptTitle}>{w.attempt(format.number(transfer?.attempt ?? 1))}</Badge>
          )}
          {isFetching && (
            <span className="min-w-0 truncate font-mono text-xs" title={files.join("\n")}>{transfer.file}</span>
          )}
          {isFetching && files.length > 1 && <span>{w.moreFiles(format.number(files.length - 1))}</span>}
        </span>
      </div>
    </div>
  );
}

/** Why no byte comes now, in the place of speed and time left. */
function Standing({ model, place, stalled }: { model: Model; place: number | undefined; stalled: boolean }) {
  const w = useWords(words);
  const format = useFormats();
  const said = (): string => {
    if (stalled) return w.stalled;
    if (model.state === "paused") return w.paused;
    if (model.state === "queued" && model.reason) return w.outOfHours;
    if (model.state === "queued") return !place ? w.waitsForTurn : place === 1 ? w.next : w.place(format.number(place));
    if (model.state === "verifying" || model.transfer?.phase === "verifying") return w.checking;
    if (model.transfer?.phase === "installing") return w.installing;
    return w.resolving;
  };
  return (
    <span className="max-sm:col-span-2 sm:w-52" title={stalled ? w.stalledTitle : undefined}>
      {said()}
    </span>
  );
}
