import { useWords } from "~/text/words";
import { Skeleton } from "~/ui/notes";
import { words } from "~/ui/words";

/** The page before the first snapshot, in the size of what comes. */
export function Loading() {
  const w = useWords(words);
  return (
    <div aria-busy>
      <p role="status" className="sr-only">{w.loading}</p>
      <div className="mb-4 flex flex-col gap-2">
        <Skeleton className="h-9" />
        <Skeleton className="h-8 w-56" />
      </div>
      {["h-96", "h-44", "h-64"].map((height) => <Skeleton key={height} className={`mb-5 !rounded-lg ${height}`} />)}
    </div>
  );
}
