import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, bodyOf, got } from "~/api/client";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { ErrorNote } from "~/ui/notes";
import { words } from "./words";

/** What unfinished downloads hold, of models that are no longer in the catalogue too. */
export function Leftovers({ totalBytes }: { totalBytes: number }) {
  const w = useWords(words);
  const format = useFormats();
  const queries = useQueryClient();
  const deleting = useMutation({
    mutationFn: () => got(api.DELETE("/api/downloads/parts")),
    onSettled: () => queries.invalidateQueries({ queryKey: ["parts"] }),
  });
  return (
    <>
      {totalBytes > 0 && (
        <p data-leftovers={totalBytes} className="mt-5 flex flex-wrap items-center gap-2 text-[13px] text-soft">
          {w.leftovers(format.bytes(totalBytes))}
          <Button size="small" look="quiet" busy={deleting.isPending} onClick={() => deleting.mutate()}>{w.deleteLeftovers}</Button>
        </p>
      )}
      {deleting.error && <ErrorNote error={bodyOf(deleting.error)} />}
    </>
  );
}
