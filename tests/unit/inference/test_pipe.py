"""Frames between service and runner: what comes out is what went in, or an error."""

import asyncio
import io

import pytest

from sirene_inference import pipe
from sirene_inference.pipe import GarbledPipe
from sirene_shared.errors import SpeechFailed
from sirene_shared.manifest import parse

MANIFEST = parse(
    b'{"name": "tone", "description": "", "backend": "tone", "license": "MIT", "variants":'
    b' {"v1.0": {"files": ["tone.json", {"path": "a/b", "size": 3}], "url": "https://e.org/"}},'
    b' "defaults": {"variant": "v1.0"}}',
    "tone",
)
LOAD = pipe.Load(
    id=1,
    model="tone:v1.0",
    manifest=MANIFEST,
    variant="v1.0",
    files={"tone.json": "/x"},
    device="cpu",
    threads=2,
)
COMMANDS: list[pipe.Command] = [LOAD, pipe.Cancel(id=2), pipe.Grant(id=3)]
ANSWERS: list[tuple[pipe.Answer, bytes]] = [
    (pipe.Chunk(id=4, sample_rate=8000), bytes(range(256)) * 100),
    (pipe.Ended(id=5, chunks=7), b""),
    (pipe.Failed(id=6, failure=SpeechFailed("why", hint="what").failure()), b""),
]


def test_commands_are_read_as_they_were_written() -> None:
    stream = io.BytesIO(b"".join(pipe.encode(command) for command in COMMANDS))
    read = [pipe.read(stream, pipe.commands) for _ in COMMANDS]
    assert read == [(command, b"") for command in COMMANDS]
    assert pipe.read(stream, pipe.commands) is None


async def test_answers_are_received_as_they_were_written() -> None:
    stream = asyncio.StreamReader()
    for answer, payload in ANSWERS:
        stream.feed_data(pipe.encode(answer, payload))
    stream.feed_eof()
    assert [await pipe.receive(stream, pipe.answers) for _ in ANSWERS] == ANSWERS
    assert await pipe.receive(stream, pipe.answers) is None


GARBAGE = [
    b"Traceback (most recent call last):",
    b"\x01",
    pipe.encode(ANSWERS[0][0], ANSWERS[0][1])[:-1],
    pipe.LENGTHS.pack(3, 0) + b"abc",
    pipe.LENGTHS.pack(pipe.MAX_HEADER_BYTES + 1, 0),
    pipe.encode(LOAD),
]


@pytest.mark.parametrize("body", GARBAGE)
async def test_anything_else_is_an_error(body: bytes) -> None:
    with pytest.raises(GarbledPipe):
        pipe.read(io.BytesIO(body), pipe.answers)
    stream = asyncio.StreamReader()
    stream.feed_data(body)
    stream.feed_eof()
    with pytest.raises(GarbledPipe):
        await pipe.receive(stream, pipe.answers)
