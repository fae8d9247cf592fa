"""A runner as the service sees it: a process that holds a model, and ends without a trace."""

import asyncio
import itertools
import logging
import os
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

import msgspec

from sirene_inference import exhaustion, pipe
from sirene_inference.complaints import Complaints
from sirene_inference.crash import TakenAway, crash_of
from sirene_inference.request import Request
from sirene_inference.spawning import RunnerProcess
from sirene_shared.errors import (
    AudioLost,
    Failure,
    LoadFailed,
)
from sirene_shared.speech_stream import FRAME_BYTES, Frame

log = logging.getLogger(__name__)

# About three seconds of audio: enough to hide a pause of the bus, little enough to cancel cheaply.
CREDIT = 4
UNLOADED = "it was unloaded"
# How long a runner may take to end by itself, or to stop a speech that was cancelled.
CLOSE_S = 2.0
CANCEL_S = 5.0
# What it wrote just before its end is read for so long.
LAST_WORDS_S = 1.0

Reply = tuple[pipe.Answer, bytes]
Replies = asyncio.Queue[Reply]


class Runner:
    """close() ends it for sure."""

    def __init__(
        self,
        process: RunnerProcess,
        name: str,
        *,
        stall_s: float,
        crashed: Callable[[str], None] = lambda cause: None,
        oom_kills: Callable[[], int] = exhaustion.kills,
    ) -> None:
        """name: what messages call it. stall_s: a speech that comes no step further for so long
        hangs. crashed: called when the process ends and was not to. oom_kills: how often the
        kernel has ended a process for lack of memory.
        """
        self.name = name
        self.pid = process.pid
        self.ended = asyncio.Event()
        """Set once the process is gone."""
        self._process = process
        self._stall_s = stall_s
        self._crashed = crashed
        self._oom_kills = oom_kills
        self._oom_kills_before = oom_kills()
        self._ids = itertools.count(1)
        self._replies: dict[int, Replies] = {}
        self._crash: Failure | None = None
        self._fading: asyncio.TimerHandle | None = None
        self._reason = ""
        # The speech that it was ended for.
        self._culprit: int | None = None
        self._complaints = Complaints(name)
        self._reading = asyncio.create_task(self._read())
        assert process.stderr is not None
        self._listening = asyncio.create_task(self._complaints.listen(process.stderr))
        self._watching = asyncio.create_task(self._watch())

    async def load(self, load: pipe.Load, *, within_s: float) -> pipe.Loaded:
        """Raises: what the backend raised, LoadFailed (took too long), RunnerCrashed."""
        replies = self._open(load.id)
        try:
            await self._send(load)
            async with asyncio.timeout(within_s):
                reply, _ = _raised(await replies.get())
        except TimeoutError:
            self.kill(f"it did not load within {within_s:.0f} s")
            raise LoadFailed(
                f"{self.name!r} did not load within {within_s:.0f} s",
                hint="Raise INFERENCE_LOAD_TIMEOUT if the disk is slow.",
            ) from None
        finally:
            self._replies.pop(load.id, None)
        assert isinstance(reply, pipe.Loaded)
        return reply

    async def speak(self, model: str, request: Request) -> AsyncGenerator[Frame, None]:
        """The frames as they are made; leaving early ends the work before this returns.

        Raises: what the backend raised, RunnerCrashed, AudioLost; TakenAway, before any frame.
        """
        speak = pipe.Speak(
            id=self.next_id(),
            model=model,
            frame_bytes=FRAME_BYTES,
            credit=CREDIT,
            **msgspec.structs.asdict(request),
        )
        replies, heard, has_begun, is_running = self._open(speak.id), 0, False, True
        try:
            await self._send(speak)
            while True:
                reply = await self._next(speak.id, replies)
                is_running = isinstance(reply[0], pipe.Chunk | pipe.Working)
                if isinstance(reply[0], pipe.Failed) and reply[0].failure is self._crash:
                    self._release(speak.id, has_begun=has_begun, heard=heard)
                has_begun = True
                answer, payload = _raised(reply)
                if isinstance(answer, pipe.Chunk):
                    heard += 1
                    yield Frame(payload, answer.sample_rate)
                    await self._send(pipe.Grant(id=speak.id))
                elif isinstance(answer, pipe.Ended):
                    if answer.chunks != heard:
                        raise AudioLost(f"{heard} of {answer.chunks} pieces came from the runner")
                    return
        finally:
            try:
                if is_running:
                    await self._cancel(speak.id, replies)
            finally:
                del self._replies[speak.id]

    def next_id(self) -> int:
        return next(self._ids)

    def kill(self, reason: str, *, culprit: int | None = None) -> None:
        """End the process, with what it started, at once. culprit: the speech that is at fault."""
        if self._process.returncode is None:
            if not self._reason:
                self._reason, self._culprit = reason, culprit
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    async def close(self) -> None:
        """End the process: by itself when it can, else by force."""
        self._reason = self._reason or UNLOADED
        if self._process.stdin:
            self._process.stdin.write_eof()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.ended.wait()
        except TimeoutError:
            self.kill("it did not end by itself")
            await self.ended.wait()

    async def _send(self, command: pipe.Command) -> None:
        assert self._process.stdin is not None
        if self._reason:
            return  # it is being ended, and whoever waits is told so by its end
        # A runner that is gone is reported by the reader, with the cause.
        with suppress(ConnectionError):
            self._process.stdin.write(pipe.encode(command))
            await self._process.stdin.drain()

    def _open(self, id: int) -> Replies:
        replies = self._replies[id] = asyncio.Queue()
        if self._crash:
            replies.put_nowait((pipe.Failed(id=id, failure=self._crash), b""))
        return replies

    async def _next(self, id: int, replies: Replies) -> Reply:
        try:
            async with asyncio.timeout(self._stall_s):
                return await replies.get()
        except TimeoutError:
            self.kill(f"it made no audio for {self._stall_s:.0f} s", culprit=id)
            return await replies.get()

    def _release(self, id: int, *, has_begun: bool, heard: int) -> None:
        """The runner has ended under a speech. Raises: TakenAway when another may speak it."""
        is_ours = self._culprit in (None, id) and has_begun
        if self._crash and not heard and not is_ours and self._reason != UNLOADED:
            raise TakenAway(self._crash.error())

    async def _cancel(self, id: int, replies: Replies) -> None:
        """Stop a speech, and wait until it has stopped, however often we are cancelled meanwhile:
        its slot is free only then."""
        # We are being cancelled: before Python 3.11.4 an asyncio.timeout would then never say that
        # it is over, and so the wait is a task's of its own.
        stopping = asyncio.create_task(self._stop(id, replies))
        interruption: asyncio.CancelledError | None = None
        ends_at = asyncio.get_running_loop().time() + CANCEL_S
        while not stopping.done() and (left_s := ends_at - asyncio.get_running_loop().time()) > 0:
            try:
                await asyncio.wait({stopping}, timeout=left_s)
            except asyncio.CancelledError as error:
                interruption = error
        if not stopping.done():
            stopping.cancel()
            self.kill(f"it did not stop within {CANCEL_S:.0f} s", culprit=id)
        if interruption is not None:
            raise interruption

    async def _stop(self, id: int, replies: Replies) -> None:
        await self._send(pipe.Cancel(id=id))
        while isinstance((await replies.get())[0], pipe.Chunk | pipe.Working):
            pass

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while received := await pipe.receive(self._process.stdout, pipe.answers):
                if replies := self._replies.get(received[0].id):
                    replies.put_nowait(received)
        except pipe.GarbledPipe as error:
            self.kill(f"it sent garbage: {error}")
        else:
            # Without its end of the pipe it is of no use, even if it still runs.
            self._fading = asyncio.get_running_loop().call_later(
                CLOSE_S, self.kill, "it stopped answering"
            )

    async def _watch(self) -> None:
        """Tell everyone who waits that the process is gone, and why."""
        status = await self._process.wait()
        await asyncio.wait({self._reading, self._listening}, timeout=LAST_WORDS_S)
        for task in (self._reading, self._listening):
            task.cancel()
        if self._fading:
            self._fading.cancel()
        cause = self._reason or self._complaints.cause(status)
        oom_kills = self._oom_kills() - self._oom_kills_before
        crash = crash_of(self.name, status, cause, is_ours=bool(self._reason), oom_kills=oom_kills)
        if not self._reason:
            log.error("%s", crash)
        if self._reason != UNLOADED:
            self._crashed(cause)
        self._crash = crash.failure()
        for id, replies in self._replies.items():
            replies.put_nowait((pipe.Failed(id=id, failure=self._crash), b""))
        self.ended.set()


def _raised(reply: Reply) -> Reply:
    """The reply; raises the error that it is."""
    if isinstance(reply[0], pipe.Failed):
        raise reply[0].failure.error()
    return reply
