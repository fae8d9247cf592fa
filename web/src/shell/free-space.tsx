import { HardDrive } from "lucide-react";
import { useStorage } from "~/api/storage";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { words } from "./words";

/** Free space on the models' volume; holds its place until it is known. */
export function FreeSpace() {
  const w = useWords(words);
  const format = useFormats();
  const storage = useStorage();
  if (!storage) return null;
  return (
    <span title={w.freeTitle} className="hidden items-center gap-1.5 min-[420px]:flex" data-free={storage.free_bytes}>
      <HardDrive className="size-4" aria-hidden />
      {w.free(format.bytes(storage.free_bytes))}
    </span>
  );
}
