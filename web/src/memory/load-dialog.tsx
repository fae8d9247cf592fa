import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, ApiError, bodyOf, got } from "~/api/client";
import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { Select } from "~/ui/field";
import { ErrorNote } from "~/ui/notes";
import { toast } from "~/ui/toast";
import { words } from "./words";

const KEPT = [[1, "minute"], [5, "minute"], [30, "minute"], [1, "hour"], [24, "hour"]] as const;

interface Props {
  onClose: () => void;
  /** Those that can be loaded; at least one when it opens. */
  models: readonly Model[];
}

export function LoadDialog({ onClose, models }: Props) {
  const w = useWords(words);
  const format = useFormats();
  // A model that is loaded or damaged meanwhile leaves the list, but the choice is never another one's.
  const [id, setId] = useState(models[0]?.id ?? "");
  const [keepAlive, setKeepAlive] = useState("");
  const [pinned, setPinned] = useState(false);
  const load = useMutation({
    mutationFn: () =>
      got(
        api.POST("/api/models/{model_id}/load", {
          params: { path: { model_id: id }, query: { ...(pinned ? { pin: true } : {}), ...(keepAlive ? { keep_alive: keepAlive } : {}) } },
        }),
      ),
    onSuccess: (answer) => {
      toast(w.isLoaded(answer.id, format.duration(answer.load_s)));
      onClose();
    },
    onError: (error) => {
      // It goes on, and its slot shows it.
      if (error instanceof ApiError && error.body.code === "model_loading") onClose();
    },
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => open || onClose()}
      title={w.loadTitle}
      description={w.loadLead}
      actions={<Button look="primary" busy={load.isPending} disabled={!id} onClick={() => load.mutate()}>{w.loadIt}</Button>}
    >
      <div className="flex flex-col gap-4">
        <Select label={w.model} value={id} onChange={(event) => setId(event.target.value)}>
          {!models.some((model) => model.id === id) && <option value={id}>{id}</option>}
          {models.map((model) => (
            <option key={model.id} value={model.id}>
              {model.memory_bytes ? w.modelNeeds(model.id, format.bytes(model.memory_bytes)) : model.id}
            </option>
          ))}
        </Select>
        <Select label={w.keepAlive} value={keepAlive} disabled={pinned} onChange={(event) => setKeepAlive(event.target.value)}>
          <option value="">{w.keepDefault}</option>
          {KEPT.map(([count, unit]) => (
            <option key={unit + count} value={`${count}${unit.charAt(0)}`}>
              {format.number(count, { style: "unit", unit, unitDisplay: "long" })}
            </option>
          ))}
          <option value="-1">{w.keepForever}</option>
        </Select>
        <label className="flex min-h-8 items-center gap-2.5 text-sm">
          <input type="checkbox" className="size-4 shrink-0 accent-accent" checked={pinned} onChange={(event) => setPinned(event.target.checked)} />
          {w.pinIt}
        </label>
        {load.error && <ErrorNote error={bodyOf(load.error)} />}
      </div>
    </Dialog>
  );
}
