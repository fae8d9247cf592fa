import { Upload } from "~/ui/icons";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { type Brought, dropped, picked } from "./brought";
import { words } from "./words";

const ImportDialog = lazy(() => import("./import-dialog"));

/** The button of the page that picks files, and the page itself, onto which they may be dropped. */
export function ImportFiles() {
  const w = useWords(words);
  const input = useRef<HTMLInputElement>(null);
  const [brought, setBrought] = useState<Brought[] | null>(null);
  const add = (more: Brought[]) => setBrought((before) => [...(before ?? []), ...more]);
  const isOver = useDrop((transfer) => void dropped(transfer).then(add));
  return (
    <>
      <Button icon={<Upload className="size-4" aria-hidden />} onClick={() => input.current?.click()}>{w.import}</Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={w.import}
        onChange={(event) => {
          if (event.target.files) add(picked(event.target.files));
          event.target.value = "";
        }}
      />
      {isOver && (
        <div data-drop className="pointer-events-none fixed inset-3 z-50 grid place-items-center rounded-lg border-2 border-dashed border-accent bg-accent-wash text-lg font-semibold text-accent-ink">
          {w.dropHere}
        </div>
      )}
      {brought && (
        <Suspense>
          <ImportDialog brought={brought} pickMore={() => input.current?.click()} close={() => setBrought(null)} />
        </Suspense>
      )}
    </>
  );
}

/** Whether files hover over the page. */
function useDrop(drop: (transfer: DataTransfer) => void): boolean {
  const [isOver, setOver] = useState(false);
  const latest = useRef(drop);
  latest.current = drop;
  useEffect(() => {
    const stop = new AbortController();
    const on = (kind: "dragover" | "dragleave" | "drop", act: (event: DragEvent) => void) =>
      addEventListener(kind, (event) => event.dataTransfer?.types.includes("Files") && act(event), { signal: stop.signal });
    on("dragover", (event) => {
      event.preventDefault(); // else the browser opens the file
      setOver(true);
    });
    on("dragleave", (event) => event.relatedTarget === null && setOver(false));
    on("drop", (event) => {
      event.preventDefault();
      setOver(false);
      if (event.dataTransfer) latest.current(event.dataTransfer);
    });
    return () => stop.abort();
  }, []);
  return isOver;
}
