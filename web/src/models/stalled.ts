import { useEffect, useState } from "react";

const STALLED_AFTER_MS = 5000;

/** Whether nothing has arrived for a while; told by this page's own clock, since a stalled pull sends no ticks. */
export function useStalled(doneBytes: number, isFetching: boolean): boolean {
  const [stalledAt, setStalledAt] = useState<number | null>(null);
  useEffect(() => {
    if (!isFetching) return;
    const timer = setTimeout(() => setStalledAt(doneBytes), STALLED_AFTER_MS);
    return () => clearTimeout(timer);
  }, [doneBytes, isFetching]);
  return isFetching && stalledAt === doneBytes;
}
