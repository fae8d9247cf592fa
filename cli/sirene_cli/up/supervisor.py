"""Starts services in order, keeps them alive, and stops them in the opposite order."""

import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from sirene_cli.failures import CliError
from sirene_cli.up.child import Child, Undertaker
from sirene_cli.up.restarts import Backoff
from sirene_shared.errors import SireneError

log = logging.getLogger(__name__)

LOOK_S = 0.05
START_LIMIT_S = 90.0
# A service that ends this often before all are ready will not come up by itself.
ENDS_WHILE_STARTING = 3
# Without the bus nothing can be finished, only ended.
GRACE_WITHOUT_BUS_S = 3.0


@dataclass(frozen=True, kw_only=True)
class Service:
    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    is_ready: Callable[[], Awaitable[bool]]
    """Asked again and again while it starts; must answer within seconds."""
    grace_s: float = 10.0
    """How long it may take to end before it is killed."""
    is_critical: bool = False
    """Its end ends everything."""
    log_path: Path | None = None
    """Where it writes its log, if not to its output."""


Stage = Callable[[], Sequence[Service]]
"""Services that start together; asked for when all before them are ready."""


class Kept:
    """A service under care: its present process, its last line, and whether care has ended."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.child: Child | None = None
        self.last_line = ""
        self.ends = 0
        self.finished = anyio.Event()


class Supervisor:
    def __init__(self, undertaker: Undertaker, relay: Callable[[str, str], None]) -> None:
        """relay: given a service's name and a line of its output, in a thread."""
        self._undertaker = undertaker
        self._relay = relay
        self._kept: list[Kept] = []
        self._is_started = False
        self._is_hurried = False
        self._longest_grace_s = math.inf
        self._stopping = anyio.Event()
        self._failure: CliError | None = None

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    @property
    def is_hurried(self) -> bool:
        """kill() was called."""
        return self._is_hurried

    async def run(self, stages: Sequence[Stage], on_ready: Callable[[], None]) -> None:
        """Start, keep, and return when all has ended after stop().

        Raises: CliError when a critical service ended or the start failed; all has ended then too.
        """
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._start, tasks, stages, on_ready)
                await self._stopping.wait()
                for kept in reversed(self._kept):
                    await self._end(kept)
                tasks.cancel_scope.cancel()
        finally:
            self._kill_all()  # nothing is left here, unless an error of our own brought us here
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        """Begin to end everything in order."""
        self._stopping.set()

    def kill(self) -> None:
        """End everything at once."""
        self._is_hurried = True
        self._stopping.set()
        self._kill_all()

    def _kill_all(self) -> None:
        for kept in self._kept:
            if kept.child:
                kept.child.kill()

    def _fail(self, failure: CliError) -> None:
        if not self._stopping.is_set():
            self._failure = failure
            self._stopping.set()

    async def _start(
        self, tasks: TaskGroup, stages: Sequence[Stage], on_ready: Callable[[], None]
    ) -> None:
        waiting: set[str] = set()
        with anyio.move_on_after(START_LIMIT_S) as limit:
            for stage in stages:
                begun = [Kept(service) for service in self._services(stage)]
                self._kept += begun
                waiting |= {kept.service.name for kept in begun}
                for kept in begun:
                    tasks.start_soon(self._keep, kept)
                for kept in begun:
                    await self._until_ready(kept.service)
                    waiting.discard(kept.service.name)
                if self._stopping.is_set():
                    return
            self._is_started = True
            on_ready()
        if limit.cancelled_caught:
            self._fail(
                CliError(
                    f"not ready after {START_LIMIT_S:.0f} s: {', '.join(sorted(waiting))}",
                    hint="The lines above should say why.",
                    code="start_failed",
                )
            )

    def _services(self, stage: Stage) -> Sequence[Service]:
        """What the stage consists of; nothing, and a failure, when that cannot be found out."""
        try:
            return stage()
        except CliError as error:
            self._fail(error)
        except SireneError as error:
            self._fail(CliError(error.message, hint=error.hint, code=error.code))
        except OSError as error:
            self._fail(CliError(f"{error.filename}: {error.strerror}", code="start_failed"))
        return ()

    async def _until_ready(self, service: Service) -> None:
        while not self._stopping.is_set() and not await service.is_ready():
            with anyio.move_on_after(LOOK_S):
                await self._stopping.wait()

    async def _keep(self, kept: Kept) -> None:
        """Run the service, again and again, until everything stops."""
        backoff, name = Backoff(), kept.service.name

        def on_line(line: str) -> None:
            kept.last_line = line
            self._relay(name, line)

        try:
            while not self._stopping.is_set():
                begun = time.monotonic()
                how = await self._live(kept, on_line)
                if self._stopping.is_set():
                    return
                self._judge(kept, how)
                wait_s = backoff.after(time.monotonic() - begun)
                if not self._stopping.is_set():
                    log.warning("%s ended (%s); it starts again in %.1f s", name, how, wait_s)
                with anyio.move_on_after(wait_s):
                    await self._stopping.wait()
        finally:
            kept.finished.set()

    async def _live(self, kept: Kept, on_line: Callable[[str], None]) -> str:
        """One life of the service, from its start to how it ended."""
        service = kept.service
        try:
            child = await Child.start(service.argv, service.environ, self._undertaker, on_line)
        except OSError as error:
            return f"it cannot be started: {error.strerror}"
        kept.child = child
        if self._is_hurried:  # the stop came while it started
            child.kill()
        elif self._stopping.is_set():
            child.terminate()
        how = await child.wait()
        kept.child = None
        return how

    def _judge(self, kept: Kept, how: str) -> None:
        """Fail when this end is one too many."""
        service = kept.service
        kept.ends += 1
        too_often = not self._is_started and kept.ends >= ENDS_WHILE_STARTING
        if not service.is_critical and not too_often:
            return
        said = kept.last_line
        if service.log_path and how.startswith("exit"):  # who was killed wrote nothing about it
            said = said or _last_line(service.log_path)
        often = "" if service.is_critical else f" {kept.ends} times while starting"
        self._fail(
            CliError(
                f"{service.name} ended{often} ({how})",
                hint=f"Its last line: {said}" if said else "",
                code="service_ended",
            )
        )
        if service.is_critical:  # no order is of use now
            self._longest_grace_s = GRACE_WITHOUT_BUS_S
            for other in self._kept:
                if other.child:
                    other.child.terminate()

    async def _end(self, kept: Kept) -> None:
        """Ask the service to end; kill it after its grace."""
        grace_s = min(kept.service.grace_s, self._longest_grace_s)
        if kept.child and not self._is_hurried:
            kept.child.terminate()
        with anyio.move_on_after(0 if self._is_hurried else grace_s):
            await kept.finished.wait()
            return
        if kept.child:
            if not self._is_hurried:
                log.warning("%s did not end in %.0f s and is killed", kept.service.name, grace_s)
            kept.child.kill()
        await kept.finished.wait()


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
