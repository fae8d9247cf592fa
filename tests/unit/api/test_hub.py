"""The one hub of all event streams."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec

from sirene_api.answers import BusCheck
from sirene_api.events import Hub, frame


async def opened(hub: Hub, only: str | None = None) -> AsyncGenerator[list[bytes], None]:
    listening = hub.listen(only)
    assert await anext(listening) == []
    return listening


def put(hub: Hub, key: str, *, ok: bool = True) -> None:
    hub.put(key, "check", lambda: BusCheck(ok=ok))


async def test_a_slow_listener_gets_the_latest_of_each_key() -> None:
    hub = Hub()
    listening = await opened(hub)
    for ok in (True, True, False):
        put(hub, "a", ok=ok)
    put(hub, "b")
    frames = await anext(listening)
    assert [b'"ok":false' in frames[0], b'"ok":true' in frames[1]] == [True, True]
    assert len(frames) == 2
    await listening.aclose()
    assert len(hub) == 0


async def test_a_listener_to_one_key_is_not_woken_for_others() -> None:
    hub = Hub()
    listening = await opened(hub, only="a")
    put(hub, "b")
    waiting = asyncio.create_task(anext(listening))
    await asyncio.sleep(0)
    assert not waiting.done()
    put(hub, "a")
    assert len(await waiting) == 1
    await listening.aclose()


async def test_what_nobody_hears_is_not_even_made() -> None:
    def costly() -> BusCheck:
        raise AssertionError

    Hub().put("a", "check", costly)


async def test_a_stream_that_never_starts_takes_no_place() -> None:
    hub = Hub()
    await hub.listen().aclose()
    assert len(hub) == 0


async def test_the_heartbeat_wakes_everybody() -> None:
    hub = Hub(heartbeat_s=0.01)
    beating = asyncio.create_task(hub.run())
    listening = [await opened(hub) for _ in range(3)]
    assert [await anext(one) for one in listening] == [[], [], []]
    beating.cancel()
    for one in listening:
        await one.aclose()


async def test_ending_all_ends_those_that_wait_and_those_that_come() -> None:
    hub = Hub()
    waiting = asyncio.create_task(anext(await opened(hub), None))
    await asyncio.sleep(0)
    hub.end_all()
    assert await waiting is None
    assert [batch async for batch in hub.listen()] == [[]]
    assert len(hub) == 0


def test_a_frame_is_one_line_of_json() -> None:
    class Text(BusCheck, frozen=True, kw_only=True):
        text: str

    encoded = frame("check", "7", Text(ok=True, text="a\r\nb\u2028é"))
    head, _, data = encoded.partition(b"data: ")
    assert head == b"event: check\nid: 7\n"
    assert data.endswith(b"\n\n")
    assert b"\n" not in data[:-2]
    assert b"\r" not in data
    assert msgspec.json.decode(data)["text"] == "a\r\nb\u2028é"
