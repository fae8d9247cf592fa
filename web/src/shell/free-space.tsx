import { HardDrive, TriangleAlert } from "~/ui/icons";
import { isLow, roomOf, useStorage } from "~/api/storage";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { classes } from "~/ui/classes";
import { words } from "./words";

/** Free space on the models' volume; on the smallest screens the live mark alone has room. */
export function FreeSpace() {
  const w = useWords(words);
  const format = useFormats();
  const volume = useStorage();
  if (!volume) return null;
  const [room, low] = [roomOf(volume), isLow(volume)];
  const Icon = low ? TriangleAlert : HardDrive;
  const bytes = format.bytes(room);
  return (
    <span
      data-free={room}
      data-low={low}
      title={w.freeTitle(format.bytes(volume.total_bytes), format.bytes(volume.installed_bytes))}
      className={classes("hidden items-center gap-1.5 whitespace-nowrap min-[360px]:flex", low && "font-medium text-warning")}
    >
      <Icon className="size-4" aria-hidden />
      <span aria-hidden className="sm:hidden">{bytes}</span>
      <span className="max-sm:sr-only">{w.free(bytes)}</span>
    </span>
  );
}
