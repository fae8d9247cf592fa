import { useQuery } from "@tanstack/react-query";
import { CircleCheck, LoaderCircle, Wrench } from "~/ui/icons";
import { api, bodyOf, got } from "~/api/client";
import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { ErrorNote } from "~/ui/notes";
import { words as ui } from "~/ui/words";
import { words } from "./dialog-words";
import { useOrders } from "./orders";

/** Compares every byte on the disk with what was published; closing it ends the work. */
export function VerifyDialog({ model, close }: { model: Model; close: () => void }) {
  const w = useWords(words);
  const { close: closeWord } = useWords(ui);
  const format = useFormats();
  const orders = useOrders(model.id);
  const check = useQuery({
    queryKey: ["verify", model.id],
    queryFn: ({ signal }) =>
      got(api.POST("/api/models/{model_id}/verify", { params: { path: { model_id: model.id } }, signal })),
    gcTime: 0,
    staleTime: Infinity,
    retry: false,
  });
  const bad = check.data?.files.filter((file) => file.state !== "ok") ?? [];
  const error = orders.error ?? (check.error && bodyOf(check.error));
  return (
    <Dialog
      open
      onOpenChange={close}
      title={w.verifyTitle(model.id)}
      actions={
        <>
          <Button onClick={close}>{closeWord}</Button>
          {bad.length > 0 && (
            <Button look="primary" icon={<Wrench className="size-4" aria-hidden />} busy={orders.pending === "repair"} onClick={() => orders.give("repair", close)}>
              {w.repair}
            </Button>
          )}
        </>
      }
    >
      <div role="status" data-verified={check.data?.ok} className="flex flex-col gap-3 text-sm">
        {check.isPending && (
          <p className="flex items-center gap-2.5">
            <LoaderCircle className="size-5 shrink-0 animate-spin text-accent" aria-hidden />
            {w.verifying}
          </p>
        )}
        {check.data?.ok && (
          <p className="flex items-center gap-2.5">
            <CircleCheck className="size-5 shrink-0 text-accent" aria-hidden />
            {w.allRight(check.data.files.length, format.number(check.data.files.length), format.bytes(check.data.checked_bytes))}
          </p>
        )}
        {bad.length > 0 && (
          <>
            <p>{w.notRight}</p>
            <ul className="flex flex-col gap-1">
              {bad.map((file) => (
                <li key={file.path} className="flex justify-between gap-3">
                  <span className="min-w-0 font-mono text-[13px] break-all">{file.path}</span>
                  <span className="shrink-0 text-danger">{w[file.state]}</span>
                </li>
              ))}
            </ul>
            <p className="text-soft">{w.repairHint}</p>
          </>
        )}
      </div>
      {error && <ErrorNote error={error} />}
    </Dialog>
  );
}
