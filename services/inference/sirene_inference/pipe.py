"""What a service and its runner say to each other: frames over the runner's stdin and stdout.

    4 bytes   length of the header, little endian
    4 bytes   length of the payload
    header    one of the messages below, as MessagePack
    payload   raw bytes: PCM with Chunk, else nothing

Every command has an `id`, and every answer carries the id of the command it answers.
"""

import asyncio
import struct
from typing import BinaryIO, TypeVar

import msgspec

from sirene_shared.errors import Failure
from sirene_shared.manifest import Manifest

LENGTHS = struct.Struct("<II")
# Far more than any message needs: what exceeds it is no message, but noise on the pipe.
MAX_HEADER_BYTES = 8 << 20
MAX_PAYLOAD_BYTES = 1 << 20


class GarbledPipe(Exception):
    """What was read is no frame."""


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    id: int


class Load(Message, frozen=True, kw_only=True):
    """Answered by Loaded or Failed."""

    model: str
    manifest: Manifest
    variant: str
    files: dict[str, str]
    """Path in the variant's directory -> file."""
    device: str
    threads: int
    cache: str = ""
    """A folder for what is made of the files once and read again at each later load."""
    cache_bytes: int = 0
    """How much it may hold; 0: it is left alone."""


class Speak(Message, frozen=True, kw_only=True):
    """Answered by Chunks, then Ended or Failed."""

    model: str
    text: str
    voice: str
    language: str
    speed: float
    seed: int | None
    sample_rate: int | None
    """None: the model's own."""
    frame_bytes: int
    """The largest payload of a Chunk."""
    credit: int
    """How many Chunks may be under way, until a Grant."""
    instructions: str = ""
    clip: bytes = b""
    transcript: str = ""


class Cancel(Message, frozen=True, kw_only=True):
    """Stop the Speak with this id; that one ends with Ended or Failed."""


class Grant(Message, frozen=True, kw_only=True):
    """One more Chunk of the Speak with this id may come."""


class Unload(Message, frozen=True, kw_only=True):
    """Answered by Ended."""

    model: str


class Loaded(Message, frozen=True, kw_only=True):
    sample_rate: int
    voices: tuple[str, ...]
    device: str


class Chunk(Message, frozen=True, kw_only=True):
    """The payload is s16le mono."""

    sample_rate: int


class Working(Message, frozen=True, kw_only=True):
    """The Speak with this id has come a step further, though no audio is ready."""


class Ended(Message, frozen=True, kw_only=True):
    chunks: int = 0
    """How many were sent: fewer received means that audio was lost."""


class Failed(Message, frozen=True, kw_only=True):
    failure: Failure


Command = Load | Speak | Cancel | Grant | Unload
Answer = Loaded | Chunk | Working | Ended | Failed

commands = msgspec.msgpack.Decoder(Command)
answers = msgspec.msgpack.Decoder(Answer)
Kind = TypeVar("Kind", Command, Answer)


def encode(message: Command | Answer, payload: bytes = b"") -> bytes:
    header = msgspec.msgpack.encode(message)
    return LENGTHS.pack(len(header), len(payload)) + header + payload


def read(stream: BinaryIO, decoder: msgspec.msgpack.Decoder[Kind]) -> tuple[Kind, bytes] | None:
    """The next message; None at the end of the stream. Raises: GarbledPipe."""
    lengths = stream.read(LENGTHS.size)
    if not lengths:
        return None
    header_bytes, payload_bytes = _lengths(lengths)
    body = stream.read(header_bytes + payload_bytes)
    if len(body) < header_bytes + payload_bytes:
        raise GarbledPipe("the stream ended inside a frame")
    return _decode(decoder, body[:header_bytes]), body[header_bytes:]


async def receive(
    stream: asyncio.StreamReader, decoder: msgspec.msgpack.Decoder[Kind]
) -> tuple[Kind, bytes] | None:
    """As read(), without blocking."""
    try:
        header_bytes, payload_bytes = _lengths(await stream.readexactly(LENGTHS.size))
        header = await stream.readexactly(header_bytes)
        payload = await stream.readexactly(payload_bytes)
    except asyncio.IncompleteReadError as error:
        if not error.partial and error.expected == LENGTHS.size:
            return None
        raise GarbledPipe("the stream ended inside a frame") from error
    return _decode(decoder, header), payload


def _lengths(body: bytes) -> tuple[int, int]:
    if len(body) < LENGTHS.size:
        raise GarbledPipe("the stream ended inside a frame")
    header_bytes, payload_bytes = LENGTHS.unpack(body)
    if header_bytes > MAX_HEADER_BYTES or payload_bytes > MAX_PAYLOAD_BYTES:
        raise GarbledPipe("a frame is far too large")
    return header_bytes, payload_bytes


def _decode(decoder: msgspec.msgpack.Decoder[Kind], header: bytes) -> Kind:
    try:
        return decoder.decode(header)
    except msgspec.MsgspecError as error:
        raise GarbledPipe("a frame holds no known message") from error
