"""Speech over the bus: numbered frames of PCM against credits, and a last frame with the total.

    API                                              replica
    speak, reply = inbox          ───────────────▶   send(): opens a control inbox
    Working; reply = control      ◀───────────────   at once, so that a cancel finds the work
    frame: Seq, Rate; reply = control ◀───────────   while it has credits
    Grant: n                      ───────────────▶   n more
    Total, Samples                ◀───────────────   the end; or Error and a Failure
    cancel                        ───────────────▶   the client has left: the work stops

Frames are s16le mono. A client that does not read grants nothing, so nothing piles up anywhere. A
gap or a missing end is AudioLost, never silence.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import NamedTuple

import anyio
import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from sirene_shared.errors import AudioLost, Failure, SireneError, SpeechFailed

FRAME_BYTES = 32 * 1024
WINDOW = 16
# A reader that grants nothing for so long is gone, even if nothing said so.
IDLE_S = 30.0
# A replica that sends nothing for so long is gone: longer than any first sentence takes.
FRAME_S = 60.0
SAMPLE_BYTES = 2


class NobodySpeaks(Exception):
    """No replica has the model loaded and a free slot: ask for a load, then again."""


class Frame(NamedTuple):
    """samples: s16le mono, at most FRAME_BYTES."""

    samples: bytes
    sample_rate: int


class Credits:
    """How many frames the reader will take; `spend()` waits for one."""

    def __init__(self, credit: int = WINDOW) -> None:
        self._free = asyncio.Semaphore(credit)

    def grant(self, count: int) -> None:
        for _ in range(count):
            self._free.release()

    async def spend(self) -> None:
        """Raises: TimeoutError after IDLE_S without a grant."""
        async with asyncio.timeout(IDLE_S):
            await self._free.acquire()


async def send(nc: Client, inbox: str, frames: AsyncGenerator[Frame, None]) -> None:
    """Send `frames` to `inbox` as its reader grants them; an error of ours is sent as the end.

    Ends early, closing `frames`, when the reader cancels or is gone.
    """
    control, credits, sent, total_bytes = nc.new_inbox(), Credits(), 0, 0
    gone = asyncio.Event()

    async def on_control(message: Msg) -> None:
        grant = (message.headers or {}).get("Grant", "")
        if grant.isdecimal():
            credits.grant(min(int(grant), WINDOW))
        else:  # "cancel", or 503: nobody listens to our frames any more
            gone.set()

    async def forward() -> None:
        nonlocal sent, total_bytes
        await nc.publish(inbox, b"", reply=control, headers={"Working": "1"})
        async for frame in frames:
            await credits.spend()
            headers = {"Seq": str(sent), "Rate": str(frame.sample_rate)}
            await nc.publish(inbox, frame.samples, reply=control, headers=headers)
            sent += 1
            total_bytes += len(frame.samples)

    subscription = await nc.subscribe(control, cb=on_control)
    work = asyncio.create_task(forward())
    leaving = asyncio.create_task(gone.wait())
    try:
        await asyncio.wait({work, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
            await nc.publish(
                inbox,
                b"",
                headers={"Total": str(sent), "Samples": str(total_bytes // SAMPLE_BYTES)},
            )
    except SireneError as error:
        await _send_failure(nc, inbox, error.failure())
    except TimeoutError:
        pass  # the reader is gone
    finally:
        # Once: a speech that stops waits for its runner, and that must not be cut short.
        for task in (work, leaving):
            task.cancel()
        await asyncio.gather(work, leaving, return_exceptions=True)
        await frames.aclose()
        with suppress(NatsError):
            await subscription.unsubscribe()


async def _send_failure(nc: Client, inbox: str, failure: Failure) -> None:
    await nc.publish(inbox, msgspec.json.encode(failure), headers={"Error": failure.code})


async def refuse(nc: Client, inbox: str, error: SireneError) -> None:
    """Answer a speak request with an error instead of audio."""
    await _send_failure(nc, inbox, error.failure())


async def receive(nc: Client, subject: str, request: bytes) -> AsyncGenerator[Frame, None]:
    """Ask on `subject` and give the frames as they come; leaving early cancels the work.

    Raises: NobodySpeaks before the first frame; SireneError as the replica sent it; AudioLost.
    """
    inbox, queue = nc.new_inbox(), asyncio.Queue[Msg]()
    control: str | None = None
    heard, total_bytes = 0, 0
    subscription = await nc.subscribe(inbox, cb=queue.put)
    try:
        await nc.publish(subject, request, reply=inbox)
        while True:
            message = await _next(queue, heard)
            headers = message.headers or {}
            if headers.get("Status") == "503":
                raise NobodySpeaks(subject)
            if "Error" in headers:
                control = None
                raise _failure(message.data).error()
            if "Total" in headers:
                control = None
                samples = total_bytes // SAMPLE_BYTES
                if headers["Total"] != str(heard) or headers.get("Samples") != str(samples):
                    raise AudioLost(f"audio ended after {heard} of {headers['Total']} frames")
                return
            control = message.reply
            if "Working" in headers:
                continue
            if headers.get("Seq") != str(heard):
                raise AudioLost(f"frame {heard} of the audio was lost")
            heard += 1
            total_bytes += len(message.data)
            yield Frame(message.data, int(headers["Rate"]))
            if heard % (WINDOW // 2) == 0:
                await nc.publish(control, b"", headers={"Grant": str(WINDOW // 2)})
    finally:
        await _leave(nc, control, subscription)


async def _next(queue: "asyncio.Queue[Msg]", heard: int) -> Msg:
    try:
        async with asyncio.timeout(FRAME_S):
            return await queue.get()
    except TimeoutError:
        raise AudioLost(f"no audio for {FRAME_S:.0f} s after frame {heard}") from None


def _failure(body: bytes) -> Failure:
    try:
        return msgspec.json.decode(body, type=Failure)
    except msgspec.MsgspecError:
        return SpeechFailed("the replica failed without saying why").failure()


async def _leave(nc: Client, control: str | None, subscription: Subscription) -> None:
    """Cancel what still runs. Shielded: Litestar cancels a response through anyio, where every
    await in a `finally` raises again, so that an unshielded one would leak the subscription."""
    with anyio.CancelScope(shield=True), suppress(NatsError):
        if control:
            await nc.publish(control, b"cancel")
        await subscription.unsubscribe()
