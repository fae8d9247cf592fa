import { useMutation } from "@tanstack/react-query";
import { Pin, PinOff } from "~/ui/icons";
import { api, bodyOf, got } from "~/api/client";
import { useServerSeconds } from "~/live/clock";
import type { Loaded } from "~/live/state";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Badge } from "~/ui/badge";
import { Button } from "~/ui/button";
import { classes } from "~/ui/classes";
import { ErrorNote } from "~/ui/notes";
import { UnloadButton } from "./unload-button";
import { words } from "./words";

// Both kinds have one height, so that a strip keeps its own while models come and go; where slots lie
// below each other, an empty one has no need of it.
const FRAME = "flex flex-col rounded-md border p-3.5 sm:min-h-[196px]";

export function EmptySlot() {
  const w = useWords(words);
  return (
    <li data-slot="empty" className={classes(FRAME, "min-h-14 items-center justify-center border-dashed border-line text-sm text-soft")}>
      {w.emptySlot}
    </li>
  );
}

export function LoadedSlot({ model }: { model: Loaded }) {
  const w = useWords(words);
  const format = useFormats();
  const at = model.state === "loaded" ? (model.in_flight > 0 ? "speaking" : "ready") : model.state;
  return (
    <li data-slot={model.id} data-state={model.state} data-pinned={model.pinned} className={classes(FRAME, "border-line bg-page")}>
      <div className="flex items-start justify-between gap-2">
        <h3 className="min-w-0 font-semibold [overflow-wrap:anywhere]">{model.id}</h3>
        <span className="flex shrink-0 items-center gap-1.5 text-[13px] text-soft">
          <span
            aria-hidden
            className={classes("size-2 rounded-full", model.state === "loaded" ? "bg-accent" : "animate-pulse bg-warning")}
          />
          {w[at]}
        </span>
      </div>
      <p className="mt-1 text-xl leading-tight font-semibold tracking-tight">
        {model.memory_bytes ? format.bytes(model.memory_bytes) : "–"}
        <span className="ml-1.5 text-[13px] font-normal tracking-normal text-soft">{model.device}</span>
      </p>
      <div className="mt-1.5 min-h-[42px] text-[13px] leading-[21px] text-soft">
        <Times model={model} />
      </div>
      <div className="mt-1 flex min-h-[22px] gap-1.5">
        {model.pinned && <Badge tone="accent"><Pin className="size-3.5" aria-hidden />{w.pinned}</Badge>}
        {model.is_next && <Badge title={w.nextHint}>{w.next}</Badge>}
      </div>
      <Actions model={model} />
    </li>
  );
}

/** What counts, each second; nothing else of a slot is drawn for it. */
function Times({ model }: { model: Loaded }) {
  const w = useWords(words);
  const format = useFormats();
  const nowS = useServerSeconds();
  if (model.state === "loading") return w.measuring;
  if (model.state === "unloading") return w.draining;
  const leftS = model.expires_at === null ? null : model.expires_at - nowS;
  const stays = model.pinned ? w.staysPinned : model.in_flight > 0 ? w.staysUsed : w.staysForRoom;
  return (
    <>
      <p data-idle>{model.in_flight > 0 ? w.requests(model.in_flight) : w.idle(format.duration(nowS - model.last_used_at))}</p>
      <p data-expiry>{leftS === null ? stays : leftS > 0 ? w.leavesIn(format.duration(leftS)) : w.leavesNow}</p>
    </>
  );
}

function Actions({ model: { id, pinned, in_flight, state } }: { model: Loaded }) {
  const w = useWords(words);
  const pin = useMutation({
    mutationFn: (wanted: boolean) =>
      got(api.POST(wanted ? "/api/models/{model_id}/pin" : "/api/models/{model_id}/unpin", { params: { path: { model_id: id } } })),
  });
  return (
    <>
      {pin.error && <div className="mt-2"><ErrorNote error={bodyOf(pin.error)} /></div>}
      <div className="mt-auto flex flex-wrap gap-2 pt-2.5">
        <UnloadButton id={id} inFlight={in_flight} disabled={state === "loading"} />
        <Button
          size="small"
          look="quiet"
          busy={pin.isPending}
          disabled={state !== "loaded"}
          aria-label={pinned ? w.unpinOf(id) : w.pinOf(id)}
          icon={pinned ? <PinOff className="size-4" aria-hidden /> : <Pin className="size-4" aria-hidden />}
          onClick={() => pin.mutate(!pinned)}
        >
          {pinned ? w.unpin : w.pin}
        </Button>
      </div>
    </>
  );
}
