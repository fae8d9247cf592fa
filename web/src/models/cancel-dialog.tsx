import { useEffect } from "react";
import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { ErrorNote } from "~/ui/notes";
import { words } from "./dialog-words";
import { isActive } from "./filtering";
import { useOrders } from "./orders";

/** What shall become of the bytes that came. The pull goes on until it is answered. */
export function CancelDialog({ model, close }: { model: Model; close: () => void }) {
  const w = useWords(words);
  const format = useFormats();
  const orders = useOrders(model.id);
  const isOver = !isActive(model);
  useEffect(() => {
    if (isOver) close(); // it has ended meanwhile: there is nothing left to ask
  }, [isOver, close]);
  const bytes = format.bytes(model.transfer?.done_bytes ?? 0);
  return (
    <Dialog
      open
      onOpenChange={close}
      title={w.cancelTitle(model.id)}
      description={w.cancelLead(bytes)}
      actions={
        <>
          <Button onClick={close}>{w.goOn}</Button>
          <Button busy={orders.pending === "cancelKeeping"} onClick={() => orders.give("cancelKeeping", close)}>{w.keep}</Button>
          <Button look="danger" busy={orders.pending === "cancel"} onClick={() => orders.give("cancel", close)}>{w.discard(bytes)}</Button>
        </>
      }
    >
      {orders.error && <ErrorNote error={orders.error} />}
    </Dialog>
  );
}
