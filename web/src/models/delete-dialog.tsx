import { useMutation } from "@tanstack/react-query";
import { Trash2 } from "~/ui/icons";
import { api, bodyOf, got } from "~/api/client";
import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { ErrorNote, Note } from "~/ui/notes";
import { words as ui } from "~/ui/words";
import { words } from "./dialog-words";

/** Asks once, and says what it frees. A model that speaks is waited for, by the server. */
export function DeleteDialog({ model, close }: { model: Model; close: () => void }) {
  const w = useWords(words);
  const { cancel } = useWords(ui);
  const format = useFormats();
  const deleting = useMutation({
    mutationFn: () => got(api.DELETE("/api/models/{model_id}", { params: { path: { model_id: model.id } } })),
    onSuccess: close,
  });
  const bytes = format.bytes(model.installed_bytes || (model.size_bytes ?? 0));
  const isSpeaking = model.loaded.some((loaded) => loaded.in_flight > 0);
  return (
    <Dialog
      open
      onOpenChange={close}
      title={w.deleteTitle(model.id)}
      description={w.deleteLead(bytes)}
      actions={
        <>
          <Button onClick={close}>{cancel}</Button>
          <Button
            look="danger"
            icon={<Trash2 className="size-4" aria-hidden />}
            busy={deleting.isPending}
            onClick={() => deleting.mutate()}
          >
            {w.delete(bytes)}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3" role="status">
        {model.loaded.length > 0 && <Note>{deleting.isPending ? w.waiting : isSpeaking ? w.deleteSpeaking : w.deleteLoaded}</Note>}
        {deleting.error && <ErrorNote error={bodyOf(deleting.error)} />}
      </div>
    </Dialog>
  );
}
