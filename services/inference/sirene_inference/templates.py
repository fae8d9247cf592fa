"""Starting runners: forked from a template where there is one, else from nothing."""

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping, Sequence
from contextlib import suppress

from sirene_inference.forking import Template, TemplateUnusable
from sirene_inference.spawning import RunnerProcess, spawn

log = logging.getLogger(__name__)

BACKENDS = "sirene_inference.backends"
LIGHT = ("sirene_inference.worker", f"{BACKENDS}.kokoro", f"{BACKENDS}.piper")
# A quarter of a gigabyte and two seconds: made when the first model needs it, not before.
TORCH = ("sirene_inference.worker", f"{BACKENDS}.f5tts", f"{BACKENDS}.qwen")
TORCH_BACKENDS = frozenset({"f5tts", "qwen"})
# How long that one is kept without a runner.
TORCH_KEPT_S = 600.0
START_S = 60.0


class Templates:
    """Makes runners for any backend. close() it after they have ended: they end with it."""

    def __init__(self, environ: Mapping[str, str], *, is_warm: bool = True) -> None:
        """environ: a runner's whole environment. is_warm: False makes each runner from nothing."""
        self._environ = environ
        self._is_warm = is_warm and sys.platform == "linux"
        self._templates: dict[Sequence[str], asyncio.Task[Template]] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def warm(self) -> None:
        """Make ready what most models need, ahead of the first one."""
        if self._is_warm:
            self._template(LIGHT)

    async def start(self, backend: str) -> RunnerProcess:
        if self._is_warm:
            modules = TORCH if backend in TORCH_BACKENDS else LIGHT
            starting = self._template(modules)
            try:
                async with asyncio.timeout(START_S):
                    return await (await asyncio.shield(starting)).fork()
            except (TemplateUnusable, TimeoutError, OSError):
                log.warning("a runner is started from nothing: its template cannot be used")
        return await spawn(self._environ, streams=PIPE)

    async def close(self) -> None:
        starting = list(self._templates.values())
        self._templates.clear()
        if self._alarm:
            self._alarm.cancel()
        await asyncio.gather(*(self._end(each) for each in starting), *self._closing)

    def _template(self, modules: Sequence[str]) -> asyncio.Task[Template]:
        starting = self._templates.get(modules)
        if starting and starting.done():
            broken = starting.cancelled() or starting.exception() is not None
            if broken or not starting.result().is_usable:
                self._discard(modules)
                starting = None
        if starting is None:
            starting = asyncio.create_task(Template.start(modules, self._environ))
            self._templates[modules] = starting
        if modules is TORCH:
            self._look_later()
        return starting

    def _look_later(self) -> None:
        if self._alarm:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(TORCH_KEPT_S, self._look)

    def _look(self) -> None:
        """End the large template when nothing has come of it for long."""
        starting = self._templates.get(TORCH)
        if starting is None or not starting.done():
            return
        if starting.exception() or not starting.result().runners:
            self._discard(TORCH)
        else:
            self._look_later()

    def _discard(self, modules: Sequence[str]) -> None:
        ending = asyncio.create_task(self._end(self._templates.pop(modules)))
        self._closing.add(ending)
        ending.add_done_callback(self._closing.discard)

    async def _end(self, starting: asyncio.Task[Template]) -> None:
        with suppress(OSError):
            await (await starting).close()
