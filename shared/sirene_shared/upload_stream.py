"""A file over the bus: numbered frames against credits, and a last one with the total.

    API                                              downloader
    upload, reply = inbox         ───────────────▶   receiving(): opens a data inbox
    Grant: n; reply = data        ◀───────────────   once it has room for the file
    frame: Seq; reply = inbox     ───────────────▶   while there are credits
    Grant: n                      ◀───────────────   n more, as they are on the disk
    Total, Bytes                  ───────────────▶   the end
    Done                          ◀───────────────   it is kept; or Error and a Failure, at any time
    Probe                         ───────────────▶   while it grants nothing: is it there still?
    Cancel                        ───────────────▶   whoever sent it has left

A gap, or an end that does not fit, is an error: a part is never taken for the whole. Each frame
asks for an answer, so that the server tells at once when nobody listens any more.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from sirene_shared.errors import BusUnavailable, Failure, SireneError, UploadBroken

FRAME_BYTES = 256 << 10
WINDOW = 16
# The disk, or whoever reads the file to us, may be slow; but not silent for so long.
SILENCE_S = 60.0
# How soon it shows that a downloader was killed which owes us an answer.
PROBE_S = 1.0
# What came is synced to the disk at the end, which may be slow.
SYNC_S = 600.0


async def send(
    nc: Client,
    subject: str,
    request: bytes,
    chunks: AsyncIterator[bytes],
    *,
    probe_s: float = PROBE_S,
) -> None:
    """Return once the downloader keeps the file; leaving early tells it so.

    Raises: BusUnavailable when nobody takes it, or nobody any more; SireneError as the downloader
    sent it.
    """
    inbox, queue = nc.new_inbox(), asyncio.Queue[Msg]()
    data, is_sent, is_over = "", False, False
    subscription = await nc.subscribe(inbox, cb=queue.put)

    async def wait() -> Msg:
        patience_s = SYNC_S if is_sent else SILENCE_S
        deadline = asyncio.get_running_loop().time() + patience_s
        while asyncio.get_running_loop().time() < deadline:
            with suppress(TimeoutError):
                async with asyncio.timeout(probe_s):
                    return await queue.get()
            if data:
                await nc.publish(data, b"", reply=inbox, headers={"Probe": "1"})
        raise _gone("the downloader takes nothing more")

    async def hear() -> Msg:
        nonlocal is_over
        message = await wait()
        headers = message.headers or {}
        if headers.get("Status") == "503":
            raise _gone("the downloader has gone" if data else "no downloader answers")
        if "Error" in headers:
            is_over = True
            raise _failure(message.data).error()
        return message

    try:
        await nc.publish(subject, request, reply=inbox)
        opened = await hear()
        data, credits = opened.reply, _granted(opened)
        sent = total_bytes = 0
        async for frame in _frames(chunks):
            while not credits or not queue.empty():
                credits += _granted(await hear())
            await nc.publish(data, frame, reply=inbox, headers={"Seq": str(sent)})
            sent, credits, total_bytes = sent + 1, credits - 1, total_bytes + len(frame)
        ended = {"Total": str(sent), "Bytes": str(total_bytes)}
        await nc.publish(data, b"", reply=inbox, headers=ended)
        is_sent = True
        while "Done" not in ((await hear()).headers or {}):
            pass
        is_over = True
    finally:
        with anyio.CancelScope(shield=True), suppress(NatsError):
            if data and not is_over:
                await nc.publish(data, b"", headers={"Cancel": "1"})
            await subscription.unsubscribe()


@asynccontextmanager
async def receiving(nc: Client, inbox: str, size_bytes: int) -> AsyncIterator[AsyncIterator[bytes]]:
    """The frames of a file that shall have so many bytes; until it is left, the sender knows that
    we live, also while we sync what came. say_done() comes before that.

    Iterating raises: UploadBroken for a gap, another length, or a sender that has left.
    """
    data, queue = nc.new_inbox(), asyncio.Queue[Msg]()
    subscription = await nc.subscribe(data, cb=queue.put)
    try:
        await nc.publish(inbox, b"", reply=data, headers={"Grant": str(WINDOW)})
        yield _received(nc, inbox, queue, size_bytes)
    finally:
        with anyio.CancelScope(shield=True), suppress(NatsError):
            await subscription.unsubscribe()


async def _received(
    nc: Client, inbox: str, queue: "asyncio.Queue[Msg]", size_bytes: int
) -> AsyncIterator[bytes]:
    heard = total_bytes = 0
    while True:
        try:
            async with asyncio.timeout(SILENCE_S):
                message = await queue.get()
        except TimeoutError:
            raise _broken("nothing more comes") from None
        headers = message.headers or {}
        if "Probe" in headers:
            continue
        if "Total" in headers:
            is_whole = headers["Total"] == str(heard) and total_bytes == size_bytes
            if not is_whole or headers.get("Bytes") != str(total_bytes):
                raise _broken(f"it ended after {total_bytes} of {size_bytes} bytes")
            return
        if headers.get("Seq") != str(heard):
            raise _broken("whoever sent it has left" if "Cancel" in headers else "a part is lost")
        heard, total_bytes = heard + 1, total_bytes + len(message.data)
        if total_bytes > size_bytes:
            raise _broken(f"it has more than the {size_bytes} bytes it should have")
        yield message.data
        if heard % (WINDOW // 2) == 0:
            await nc.publish(inbox, b"", headers={"Grant": str(WINDOW // 2)})


async def say_done(nc: Client, inbox: str) -> None:
    await nc.publish(inbox, b"", headers={"Done": "1"})


async def refuse(nc: Client, inbox: str, error: SireneError) -> None:
    failure = error.failure()
    await nc.publish(inbox, msgspec.json.encode(failure), headers={"Error": failure.code})


async def _frames(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The same bytes, in as few frames as there can be."""
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        while len(held) >= FRAME_BYTES:
            yield bytes(held[:FRAME_BYTES])
            del held[:FRAME_BYTES]
    if held:
        yield bytes(held)


def _granted(message: Msg) -> int:
    count = (message.headers or {}).get("Grant", "")
    return min(int(count), WINDOW) if count.isdecimal() else 0


def _failure(body: bytes) -> Failure:
    try:
        return msgspec.json.decode(body, type=Failure)
    except msgspec.MsgspecError:
        return UploadBroken("the downloader failed without saying why").failure()


def _broken(why: str) -> UploadBroken:
    return UploadBroken(f"the file did not arrive: {why}", hint="Send it again.")


def _gone(what: str) -> BusUnavailable:
    return BusUnavailable(what, hint="Start one; `nats micro ls` shows those that run.")
