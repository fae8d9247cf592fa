import { useEffect } from "react";
import { useModels } from "~/live/store";

/** The tab tells how far the running pulls are: "42 % · Sirene". */
export function useTabTitle(): void {
  const running = (useModels() ?? []).flatMap((model) => (model.transfer?.total_bytes ? [model.transfer] : []));
  const total = running.reduce((sum, transfer) => sum + (transfer.total_bytes ?? 0), 0);
  const done = running.reduce((sum, transfer) => sum + transfer.done_bytes, 0);
  const title = total ? `${Math.floor((100 * done) / total)} % · Sirene` : "Sirene";
  useEffect(() => {
    document.title = title;
  }, [title]);
}
