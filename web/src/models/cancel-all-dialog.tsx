import { useMutation } from "@tanstack/react-query";
import { api, bodyOf, got } from "~/api/client";
import { useModels } from "~/live/store";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { ErrorNote } from "~/ui/notes";
import { words } from "./dialog-words";
import { isActive } from "./filtering";

export function CancelAllDialog({ close }: { close: () => void }) {
  const w = useWords(words);
  const format = useFormats();
  const active = (useModels() ?? []).filter(isActive);
  const bytes = active.reduce((sum, model) => sum + (model.transfer?.done_bytes ?? 0), 0);
  const cancel = useMutation({
    mutationFn: (keep: boolean) => got(api.POST("/api/downloads/cancel", { params: { query: { keep } } })),
    onSuccess: close,
  });
  const isBusy = (keep: boolean) => cancel.isPending && cancel.variables === keep;
  return (
    <Dialog
      open
      onOpenChange={close}
      title={w.cancelAllTitle}
      description={w.cancelAllLead(format.number(active.length), format.bytes(bytes))}
      actions={
        <>
          <Button onClick={close}>{w.goOn}</Button>
          {bytes > 0 && <Button busy={isBusy(true)} onClick={() => cancel.mutate(true)}>{w.keep}</Button>}
          <Button look="danger" busy={isBusy(false)} onClick={() => cancel.mutate(false)}>
            {bytes > 0 ? w.discard(format.bytes(bytes)) : w.discardNothing}
          </Button>
        </>
      }
    >
      {cancel.error && <ErrorNote error={bodyOf(cancel.error)} />}
    </Dialog>
  );
}
