"""Sees what happens to the volume by other hands, and has each model looked at that it touched."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import watchfiles

from sirene_shared.errors import InvalidRequest, SireneError
from sirene_shared.names import ModelRef, check_model, check_variant
from sirene_shared.store import KEPT_NAME, STAGING_NAME, Store

log = logging.getLogger(__name__)

# A copy makes many events: they are taken together for so long.
GATHER_MS = 800
# How soon the thread sees that it shall end.
POLL_MS = 500
# What could not be looked at, or not to the end, is looked at after so long.
LOOK_AGAIN_S = 1.0
# The volume itself could not be watched.
WATCH_AGAIN_S = 5.0


class Watch:
    def __init__(
        self,
        store: Store,
        look: Callable[[ModelRef], Awaitable[bool]],
        look_at_all: Callable[[], Awaitable[object]],
    ) -> None:
        """look: False when it is to be looked at again.
        look_at_all: called when whole models came or went, before each that is there.
        """
        self._store = store
        self._look = look
        self._look_at_all = look_at_all
        self._stopping = threading.Event()
        self._changed: asyncio.Queue[ModelRef | None] = asyncio.Queue()
        self._later: set[ModelRef] = set()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    async def run(self) -> None:
        """Look at what is there once it is watched, then at what changes, until cancelled."""
        self._thread.start()
        try:
            while True:
                refs = {await self._changed.get()}
                while not self._changed.empty():
                    refs.add(self._changed.get_nowait())
                if None in refs:
                    await self._try(self._look_at_all)
                for ref in sorted(each for each in refs if each is not None):
                    if await self._try(partial(self._look, ref)) is False:
                        self._look_later(ref)
        finally:
            self._stopping.set()

    def _look_later(self, ref: ModelRef) -> None:
        """Once, however often it was changed and could not be looked at until then."""
        if ref not in self._later:
            self._later.add(ref)
            self._loop.call_later(LOOK_AGAIN_S, self._is_due, ref)

    def _is_due(self, ref: ModelRef) -> None:
        self._later.discard(ref)
        self._changed.put_nowait(ref)

    async def _try(self, look: Callable[[], Awaitable[object]]) -> object:
        """What it came to: False also when the bus or the volume was not to be had."""
        try:
            return await look()
        except SireneError as error:
            log.debug("the volume is looked at later: %s", error.message)
            return False
        except Exception:
            log.exception("the volume could not be looked at")
            return None

    def _watch(self) -> None:
        """In a thread of its own: the library's asynchronous form takes one that others share."""
        root = self._store.root
        while not self._stopping.is_set():
            is_new = True
            try:
                for changes in watchfiles.watch(
                    root,
                    watch_filter=lambda _, path: not _is_ours(root, Path(path)),
                    debounce=GATHER_MS,
                    rust_timeout=POLL_MS,
                    stop_event=self._stopping,
                    raise_interrupt=False,
                    yield_on_timeout=True,
                ):
                    refs = {_ref(root, Path(path)) for _, path in changes}
                    if is_new or None in refs:
                        is_new = False
                        refs |= {None, *self._store.directories()}
                    for ref in refs:
                        self._loop.call_soon_threadsafe(self._changed.put_nowait, ref)
                    if any(map(_is_new_directory, changes)):
                        break
            except (OSError, RuntimeError) as error:
                # The volume is not there yet, or the system has no watches left.
                log.info("the volume cannot be watched now: %s", type(error).__name__)
                self._stopping.wait(WATCH_AGAIN_S)


def _is_new_directory(change: tuple[watchfiles.Change, str]) -> bool:
    """What is put into one before the system was told to watch it is never reported, nor is what
    happens in the directories that came with it: after one, all is watched anew."""
    kind, path = change
    return kind is watchfiles.Change.added and Path(path).is_dir()


def _is_ours(root: Path, path: Path) -> bool:
    return any(path.is_relative_to(root / name) for name in (STAGING_NAME, KEPT_NAME))


def _ref(root: Path, path: Path) -> ModelRef | None:
    """The model that a path is of; None when of none."""
    parts = path.relative_to(root).parts if path.is_relative_to(root) else ()
    try:
        return ModelRef(check_model(parts[0]), check_variant(parts[1]))
    except (IndexError, InvalidRequest):
        return None
