"""A template as the service sees it, and the runners that come of it (template.py)."""

import asyncio
import io
import itertools
import logging
import os
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from sirene_inference import template
from sirene_inference.complaints import Complaints
from sirene_inference.spawning import STREAM_LIMIT, spawn

log = logging.getLogger(__name__)


class TemplateUnusable(Exception):
    """It ended, has threads, or answers nothing."""


class ForkedProcess:
    def __init__(
        self,
        pid: int,
        stdin: asyncio.StreamWriter,
        *outputs: tuple[asyncio.StreamReader, asyncio.ReadTransport],
    ) -> None:
        """outputs: stdout and stderr."""
        self.pid = pid
        self.stdin = stdin
        (self.stdout, _), (self.stderr, _) = outputs
        self._outputs = outputs
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    def end(self, status: int) -> None:
        """Called once it is gone."""
        self.returncode = status
        self.stdin.close()
        self._ended.set()

    def close(self) -> None:
        """Whatever it still says is of no use."""
        for _, transport in self._outputs:
            transport.close()

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode


class Template:
    """A template as the service sees it."""

    def __init__(self, process: Process, control: socket.socket) -> None:
        self.is_usable = True
        self._process = process
        self._control = control
        self._ids = itertools.count(1)
        self._ready = asyncio.get_running_loop().create_future()
        self._forks: dict[int, asyncio.Future[int]] = {}
        self.runners: dict[int, ForkedProcess] = {}
        self._lost: list[ForkedProcess] = []
        # Those that ended before they were taken over.
        self._early: dict[int, int] = {}
        # Those that nobody takes over any more: their numbers may come again.
        self._given_up: set[int] = set()
        self._complaints = Complaints("the template")
        assert process.stderr is not None
        self._listening = asyncio.create_task(self._complaints.listen(process.stderr))
        asyncio.get_running_loop().add_reader(control, self._receive)

    @classmethod
    async def start(cls, modules: Sequence[str], environ: Mapping[str, str]) -> "Template":
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            ours.setblocking(False)
            process = await spawn(
                environ,
                str(theirs.fileno()),
                *modules,
                pass_fds=(theirs.fileno(),),
                streams=DEVNULL,
            )
        return cls(process, ours)

    async def fork(self) -> ForkedProcess:
        """Raises: TemplateUnusable."""
        await asyncio.shield(self._ready)
        if not self.is_usable:
            raise TemplateUnusable
        id = next(self._ids)
        commands, stdin = socket.socketpair()
        stdout, stdout_end = os.pipe()
        stderr, stderr_end = os.pipe()
        theirs = (commands.detach(), stdout_end, stderr_end)
        readers = [os.fdopen(descriptor, "rb", buffering=0) for descriptor in (stdout, stderr)]
        answer = self._forks[id] = asyncio.get_running_loop().create_future()
        try:
            socket.send_fds(self._control, [msgspec.msgpack.encode(template.Fork(id))], theirs)
            pid = await answer
        except BaseException as error:
            # With its streams closed, a process that is made after all ends by itself.
            stdin.close()
            for reader in readers:
                reader.close()
            if answer.done() and not answer.cancelled() and not answer.exception():
                self._give_up(answer.result())
            if isinstance(error, OSError):
                raise TemplateUnusable from error
            raise
        finally:
            self._forks.pop(id, None)
            for descriptor in theirs:
                os.close(descriptor)
        _, writer = await asyncio.open_connection(sock=stdin)
        process = ForkedProcess(pid, writer, *[await _connected(each) for each in readers])
        if pid in self._early:
            process.end(self._early.pop(pid))
        elif not self.is_usable:
            process.end(-signal.SIGKILL)
        else:
            self.runners[pid] = process
        return process

    async def close(self) -> None:
        self._fail()
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        for process in self._lost:
            process.close()
        self._listening.cancel()
        await asyncio.wait({self._listening})

    def _receive(self) -> None:
        try:
            body = self._control.recv(template.MAX_MESSAGE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            body = b""
        if not body:
            log.warning("the template of the runners ended")
            self._fail()
            return
        match template.messages.decode(body):
            case template.Ready(threads):
                if threads > 1:
                    log.warning("the template of the runners has %d threads: not used", threads)
                    self.is_usable = False
                self._ready.set_result(None)
            case template.Forked(id, pid):
                answer = self._forks.get(id)
                if answer and not answer.done():
                    if pid:
                        answer.set_result(pid)
                    else:
                        answer.set_exception(TemplateUnusable())
                elif pid:
                    self._give_up(pid)
            case template.Ended(pid, status):
                if process := self.runners.pop(pid, None):
                    process.end(status)
                elif pid in self._given_up:
                    self._given_up.remove(pid)
                else:
                    self._early[pid] = status

    def _give_up(self, pid: int) -> None:
        if self._early.pop(pid, None) is None:
            self._given_up.add(pid)

    def _fail(self) -> None:
        """No more of it; its runners end with it."""
        if self._control.fileno() < 0:
            return
        asyncio.get_running_loop().remove_reader(self._control)
        self._control.close()
        self.is_usable = False
        if not self._ready.done():
            self._ready.set_result(None)
        for answer in self._forks.values():
            if not answer.done():
                answer.set_exception(TemplateUnusable())
        self._lost = list(self.runners.values())
        for process in self._lost:
            process.end(-signal.SIGKILL)
        self.runners.clear()


async def _connected(
    pipe_end: io.FileIO,
) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(STREAM_LIMIT)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe_end
    )
    return reader, transport
