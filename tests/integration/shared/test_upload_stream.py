"""A file over a real bus: whole, or an error; and no faster than whoever takes it."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from sirene_shared import bus, upload_stream
from sirene_shared.errors import BusUnavailable, DiskFull, SireneError, UploadBroken
from sirene_shared.upload_stream import FRAME_BYTES, WINDOW

SUBJECT = "test.upload"
CONTENT = random.Random(5).randbytes(40 * FRAME_BYTES + 7)


async def pieces(content: bytes, length: int = 60_001) -> AsyncIterator[bytes]:
    for start in range(0, len(content), length):
        yield content[start : start + length]


class Taker:
    """The downloader's side, at the test's own pace."""

    def __init__(self, nc: Client, size_bytes: int = len(CONTENT)) -> None:
        self._nc = nc
        self._size_bytes = size_bytes
        self.taken = bytearray()
        self.frames = 0
        self.may_take = asyncio.Event()
        self.may_take.set()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.error: SireneError | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        async def take(message: Msg) -> None:
            self._tasks.add(asyncio.create_task(self._take(message.reply)))

        await self._nc.subscribe(SUBJECT, cb=take)
        await bus.settle(self._nc)

    async def _take(self, inbox: str) -> None:
        try:
            async with upload_stream.receiving(self._nc, inbox, self._size_bytes) as frames:
                async for frame in frames:
                    self.taken += frame
                    self.frames += 1
                    if self.error is not None:
                        raise self.error
                    await self.may_take.wait()
                await self.may_end.wait()
                await upload_stream.say_done(self._nc, inbox)
            self.ended.set_result(None)
        except SireneError as error:
            await upload_stream.refuse(self._nc, inbox, error)
            self.ended.set_exception(error)


async def test_a_file_arrives_as_it_was_whatever_pieces_it_comes_in(nc: Client) -> None:
    taker = Taker(nc)
    await taker.open()
    await upload_stream.send(nc, SUBJECT, b"{}", pieces(CONTENT))
    assert bytes(taker.taken) == CONTENT
    assert taker.frames == 41


async def test_an_empty_file_is_one(nc: Client) -> None:
    taker = Taker(nc, size_bytes=0)
    await taker.open()
    await upload_stream.send(nc, SUBJECT, b"{}", pieces(b""))
    assert taker.taken == b""


async def test_no_more_is_under_way_than_was_granted(nc: Client) -> None:
    taker, read = Taker(nc), 0
    taker.may_take.clear()
    await taker.open()

    async def counted() -> AsyncIterator[bytes]:
        nonlocal read
        async for piece in pieces(CONTENT, FRAME_BYTES):
            read += 1
            yield piece

    sending = asyncio.create_task(upload_stream.send(nc, SUBJECT, b"{}", counted()))
    while read <= WINDOW:
        await bus.settle(nc)
    for _ in range(20):
        await bus.settle(nc)
    assert read == WINDOW + 1  # the one that waits to be sent
    taker.may_take.set()
    await sending
    assert bytes(taker.taken) == CONTENT


async def test_an_error_of_who_takes_it_ends_it_at_once(nc: Client) -> None:
    taker = Taker(nc)
    taker.error = DiskFull("the volume is full")
    await taker.open()
    with pytest.raises(DiskFull, match="the volume is full"):
        await upload_stream.send(nc, SUBJECT, b"{}", pieces(CONTENT))


@pytest.mark.parametrize("size_bytes", [len(CONTENT) - 1, len(CONTENT) + 1])
async def test_another_length_is_refused(nc: Client, size_bytes: int) -> None:
    taker = Taker(nc, size_bytes=size_bytes)
    await taker.open()
    with pytest.raises(UploadBroken, match="bytes"):
        await upload_stream.send(nc, SUBJECT, b"{}", pieces(CONTENT))


async def test_who_takes_it_learns_that_the_sender_has_left(nc: Client) -> None:
    taker = Taker(nc)
    await taker.open()

    async def broken() -> AsyncIterator[bytes]:
        yield CONTENT[: 3 * FRAME_BYTES]
        raise UploadBroken("the client has left")

    with pytest.raises(UploadBroken, match="the client has left"):
        await upload_stream.send(nc, SUBJECT, b"{}", broken())
    with pytest.raises(UploadBroken, match="whoever sent it has left"):
        await asyncio.wait_for(taker.ended, 10)


async def test_the_sender_learns_at_once_that_nobody_takes_it(nc: Client) -> None:
    with pytest.raises(BusUnavailable, match="no downloader answers"):
        await upload_stream.send(nc, SUBJECT, b"{}", pieces(CONTENT))


async def test_a_frame_that_was_lost_is_an_error(nc: Client) -> None:
    inbox = nc.new_inbox()
    granted = await nc.subscribe(inbox)
    async with upload_stream.receiving(nc, inbox, 100) as frames:
        data = (await granted.next_msg(timeout=10)).reply
        await nc.publish(data, b"x" * 50, headers={"Seq": "1"})
        with pytest.raises(UploadBroken, match="a part is lost"):
            await anext(aiter(frames))


async def test_one_that_syncs_for_long_is_not_taken_for_gone(nc: Client) -> None:
    taker, probes = Taker(nc), asyncio.Semaphore(0)
    taker.may_end.clear()
    await taker.open()

    async def heard(message: Msg) -> None:
        if "Probe" in (message.headers or {}):
            probes.release()

    await nc.subscribe("_INBOX.>", cb=heard)
    sending = asyncio.create_task(
        upload_stream.send(nc, SUBJECT, b"{}", pieces(CONTENT), probe_s=0.05)
    )
    for _ in range(5):
        await probes.acquire()
    assert not sending.done()
    taker.may_end.set()
    await sending
