"""What a runner is asked to speak."""

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be spoken, with the defaults of the bus's SpeakRequest."""

    text: str
    voice: str = ""
    language: str = ""
    speed: float = 1.0
    seed: int | None = None
    sample_rate: int | None = None
    instructions: str = ""
    clip: bytes = b""
    transcript: str = ""
