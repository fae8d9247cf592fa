import { useState } from "react";
import { bodyOf } from "~/api/client";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { ErrorNote } from "~/ui/notes";
import { words } from "./words";
import { useUnload } from "./unloading";

interface Props {
  /** null: everything in memory. */
  id: string | null;
  /** Requests that would have to end first. */
  inFlight: number;
  disabled?: boolean;
}

/** Unloads at once what is idle; asks first where somebody listens. */
export function UnloadButton({ id, inFlight, disabled = false }: Props) {
  const w = useWords(words);
  const unload = useUnload();
  const [asks, setAsks] = useState(false);
  const free = (force: boolean) => unload.mutate({ id, force }, { onSuccess: () => setAsks(false), onError: () => setAsks(true) });
  const close = (open: boolean) => {
    setAsks(open);
    if (!open) unload.reset();
  };
  return (
    <>
      <Button
        size="small"
        disabled={disabled}
        busy={unload.isPending}
        aria-label={id === null ? undefined : w.unloadOf(id)}
        onClick={() => (inFlight > 0 ? setAsks(true) : free(false))}
      >
        {id === null ? w.unloadAll : w.unload}
      </Button>
      <Dialog
        open={asks}
        onOpenChange={close}
        title={id === null ? w.inUseAllTitle : w.inUseTitle(id)}
        description={w.inUse(w.requests(inFlight))}
        actions={
          <>
            <Button look="danger" onClick={() => free(true)}>{w.atOnce}</Button>
            <Button look="primary" busy={unload.isPending} onClick={() => free(false)}>{w.whenDone}</Button>
          </>
        }
      >
        {unload.error && <ErrorNote error={bodyOf(unload.error)} />}
      </Dialog>
    </>
  );
}
