"""Which of a model's voices a request means."""

from collections.abc import Sequence

from sirene_shared.errors import VoiceNotFound

SHOWN_VOICES = 10


def find_voice(name: str, voices: Sequence[str]) -> int:
    """The index of `name` in `voices`; an empty name means the first. Raises: VoiceNotFound."""
    if not name:
        return 0
    if name in voices:
        return voices.index(name)
    some = ", ".join(voices[:SHOWN_VOICES])
    more = len(voices) - SHOWN_VOICES
    raise VoiceNotFound(
        f"there is no voice {name[:80]!r} here",
        hint=f"There is: {some}{f' and {more} more' if more > 0 else ''}.",
        param="voice",
    )
