import { ArrowUp, Pause, Play } from "~/ui/icons";
import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button, IconButton } from "~/ui/button";
import { useHandedOnFocus } from "~/ui/focus";
import { ErrorNote } from "~/ui/notes";
import { ProgressBar } from "~/ui/progress-bar";
import { useOrders } from "./orders";
import { CancelButton } from "./row-actions";
import { words } from "./words";

interface Props {
  model: Model;
  place: number | undefined;
  up: (model: Model) => void;
}

/** One pull in a line: the row below in the catalogue tells more. */
export function QueueRow({ model, place, up }: Props) {
  const w = useWords(words);
  const format = useFormats();
  const orders = useOrders(model.id);
  const ref = useHandedOnFocus<HTMLLIElement>();
  const { id, state, transfer } = model;
  const isPaused = state === "paused";
  const told =
    state === "downloading" && transfer?.phase === "downloading"
      ? transfer.eta_s === null
        ? format.speed(transfer.speed_bytes_s)
        : w.left(format.duration(transfer.eta_s))
      : w[state === "absent" ? "queued" : state];
  return (
    <li ref={ref} data-queued={id} data-state={state} className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-0.5 py-0.5 sm:grid-cols-[minmax(0,3fr)_minmax(6rem,2fr)_3.5rem_8rem_6.25rem]">
      <span className="flex min-w-0 gap-2 text-sm">
        <span className="w-4 shrink-0 text-right text-soft" aria-hidden>{place ?? ""}</span>
        <span className="truncate" title={id}>{id}</span>
      </span>
      <span className="order-last col-span-2 sm:order-none sm:col-span-1">
        <ProgressBar percent={transfer?.percent ?? 0} label={w.progressOf(id)} still={isPaused || state === "queued"} />
      </span>
      <span className="hidden text-[13px] sm:block">{transfer?.percent == null ? "" : format.percent(transfer.percent)}</span>
      <span className="hidden text-[13px] text-soft sm:block">{told}</span>
      <span className="flex justify-end">
        {place !== undefined && place > 1 && (
          <IconButton size="small" label={w.actionOn(w.moveUp, id)} icon={<ArrowUp className="size-4" aria-hidden />} onClick={() => up(model)} />
        )}
        <IconButton
          size="small"
          label={w.actionOn(isPaused ? w.resume : w.pause, id)}
          busy={orders.pending === "pause" || orders.pending === "resume"}
          icon={isPaused ? <Play className="size-4" aria-hidden /> : <Pause className="size-4" aria-hidden />}
          onClick={() => orders.give(isPaused ? "resume" : "pause")}
        />
        <CancelButton model={model} orders={orders} />
      </span>
      {orders.error && (
        <div className="order-last col-span-full py-1">
          <ErrorNote error={orders.error} actions={<Button size="small" onClick={orders.forget}>{w.dismiss}</Button>} />
        </div>
      )}
    </li>
  );
}
