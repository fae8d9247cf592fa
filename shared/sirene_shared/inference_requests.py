"""What inference is asked for: to speak, to load, to unload, to pin."""

from typing import Annotated

from msgspec import Meta

from sirene_shared.errors import Failure
from sirene_shared.messages import LoadedModel
from sirene_shared.wire import AboutModel, Count, Name, Wire

# OpenAI's limit on `input`.
MAX_TEXT_CHARACTERS = 4096
# Half a minute of 48 kHz in one channel, and some more; on the bus a third longer, as base64.
MAX_CLIP_BYTES = 4 << 20


class SpeakRequest(AboutModel, frozen=True, kw_only=True):
    """Speak `text`; the answer is a stream of frames (speech_stream.py)."""

    request_id: Name
    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARACTERS)]
    voice: str = ""
    """Empty: the model's first voice."""
    language: str = ""
    speed: Annotated[float, Meta(ge=0.25, le=4.0)] = 1.0
    sample_rate: Annotated[int, Meta(ge=8000, le=48000)] | None = None
    """None: the model's own."""
    instructions: str = ""
    seed: int | None = None
    keep_alive_s: float | None = None
    """How long the model stays once it is idle: 0: not at all; negative: until room is needed;
    None: as the request before it said, or else the replica's settings."""
    clip: Annotated[bytes, Meta(max_length=MAX_CLIP_BYTES)] = b""
    """A sound file of somebody's speech, whose voice is to be cloned; empty: none."""
    transcript: Annotated[str, Meta(max_length=MAX_TEXT_CHARACTERS)] = ""
    """What is said in the clip."""


class LoadRequest(AboutModel, frozen=True, kw_only=True):
    """Bring the model into memory and answer when it is ready."""

    wait_s: Annotated[float, Meta(ge=0, le=600)] = 25.0
    """How long the caller waits; the load itself goes on."""
    keep_alive_s: float | None = None
    """As in SpeakRequest."""
    pin: bool = False
    """Keep it, whoever else needs room."""


class LoadReply(Wire, frozen=True, kw_only=True):
    replica: str = ""
    loaded: LoadedModel | None = None
    error: Failure | None = None


class UnloadRequest(AboutModel, frozen=True, kw_only=True):
    """To every replica: drop the model once its requests have ended."""

    wait_s: Annotated[float, Meta(ge=0, le=600)] = 30.0
    force: bool = False
    """Cut off what it speaks."""


class UnloadReply(Wire, frozen=True, kw_only=True):
    replica: str
    was_loaded: bool = False
    freed_bytes: Count = 0
    error: Failure | None = None


class PinRequest(AboutModel, frozen=True, kw_only=True):
    """To every replica: let the model leave neither for others nor for being idle, or again."""

    pinned: bool = True


class PinReply(Wire, frozen=True, kw_only=True):
    replica: str
    is_held: bool = False
    """The replica holds the model, so that the request meant it."""
    error: Failure | None = None
