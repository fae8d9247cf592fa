import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Pause, Play, X } from "~/ui/icons";
import { api, bodyOf, got } from "~/api/client";
import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { ErrorNote } from "~/ui/notes";
import { useAsk } from "./dialogs";
import { QueueRow } from "./queue-row";
import { words } from "./words";

/** Every pull that is not finished: those at work, then those that wait in their order, then the paused ones. */
export function QueuePanel({ queue, places }: { queue: readonly Model[]; places: Readonly<Record<string, number>> }) {
  const w = useWords(words);
  const format = useFormats();
  const ask = useAsk();
  const queries = useQueryClient();
  const all = useMutation({
    mutationFn: async (what: "pause" | "resume") => {
      await got(what === "pause" ? api.POST("/api/downloads/pause") : api.POST("/api/downloads/resume"));
    },
  });
  const order = useMutation({
    mutationFn: (ids: string[]) => got(api.POST("/api/downloads/order", { body: { models: ids } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["downloads"] }),
  });
  if (queue.length === 0) return null;
  const waiting = queue.filter((model) => model.state === "queued");
  const paused = queue.filter((model) => model.state === "paused").length;
  const running = queue.length - waiting.length - paused;
  const counts = [
    running && w.queueRunning(format.number(running)),
    waiting.length && w.queueWaiting(format.number(waiting.length)),
    paused && w.queuePaused(format.number(paused)),
  ];
  const up = (model: Model) => {
    const ids = waiting.map((one) => one.id);
    const at = ids.indexOf(model.id);
    ids.splice(at - 1, 2, model.id, ...ids.slice(at - 1, at));
    order.mutate(ids);
  };
  const error = all.error ?? order.error;
  return (
    <section aria-labelledby="queue-name" data-queue className="mb-5 rounded-lg border border-line bg-panel">
      <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 pt-2.5 pb-1">
        <div className="flex items-baseline gap-2">
          <h2 id="queue-name" className="font-semibold">{w.queue}</h2>
          <p className="text-[13px] text-soft">{counts.filter(Boolean).join(" · ")}</p>
        </div>
        {queue.length > 1 && (
          <div className="-mr-2 flex flex-wrap">
            {paused < queue.length && (
              <Button size="small" look="quiet" busy={all.isPending && all.variables === "pause"} icon={<Pause className="size-4" aria-hidden />} onClick={() => all.mutate("pause")}>
                {w.pauseAll}
              </Button>
            )}
            {paused > 0 && (
              <Button size="small" look="quiet" busy={all.isPending && all.variables === "resume"} icon={<Play className="size-4" aria-hidden />} onClick={() => all.mutate("resume")}>
                {w.resumeAll}
              </Button>
            )}
            <Button size="small" look="quiet" icon={<X className="size-4" aria-hidden />} onClick={() => ask({ kind: "cancel", id: "" })}>
              {w.cancelAll}
            </Button>
          </div>
        )}
      </header>
      {error && (
        <div className="px-4 pb-2">
          <ErrorNote error={bodyOf(error)} />
        </div>
      )}
      <ol className="px-4 pb-2">
        {queue.map((model) => (
          <QueueRow key={model.id} model={model} place={places[model.id]} up={up} />
        ))}
      </ol>
    </section>
  );
}
