"""How full the volume is, and of what."""

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from sirene_downloader import space
from sirene_downloader.parts import Parts
from sirene_downloader.pull import Workshop
from sirene_downloader.shelf import NO_LINK
from sirene_downloader.tree import files_below
from sirene_shared.errors import PullError
from sirene_shared.inquiries import Storage
from sirene_shared.store import Store

VOLUME_NAME = "volume"
MAX_NAME = 64


class Storages:
    def __init__(self, workshop: Workshop, parts: Parts) -> None:
        self._work = workshop
        self._parts = parts

    async def look(self) -> Storage:
        """Raises: BusUnavailable, VolumeUnwritable."""
        work = self._work
        room = await work.on_disk(space.look, work.staging, "")
        total_bytes = await work.on_disk(_total_bytes, work.store.root)
        installed_bytes = await work.on_disk(_installed_bytes, work.store)
        volume = ""
        with suppress(PullError):  # one that is only read has no name
            volume = await work.on_disk(volume_name, work.store.kept)
        return Storage(
            writer=work.staging.writer,
            volume=volume,
            total_bytes=total_bytes,
            free_bytes=room.free,
            reserved_bytes=room.reserved,
            installed_bytes=installed_bytes,
            parts_bytes=sum(part.size_bytes for part in await self._parts.left()),
        )


def volume_name(folder: Path) -> str:
    """What the first downloader of the volume has called it. Blocks. Raises: OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / VOLUME_NAME
    if not path.exists():
        draft = folder / f"{VOLUME_NAME}.{secrets.token_hex(4)}"
        draft.write_text(secrets.token_hex(8))
        try:
            os.link(draft, path)  # of several at a time, one
        except FileExistsError:
            pass
        except OSError as error:
            if error.errno not in NO_LINK:
                raise
            draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)
    return path.read_text(errors="replace").strip()[:MAX_NAME]


def _total_bytes(path: Path) -> int:
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).total


def _installed_bytes(store: Store) -> int:
    sizes: dict[tuple[int, int], int] = {}
    for ref in store.directories():
        for _, found in files_below(store.directory(ref)):
            sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())
