"""What a request says of the voice beyond its name: a clip to clone, and how to speak."""

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

from sirene_shared.errors import InvalidRequest

if TYPE_CHECKING:
    from sirene_inference.backends import Voice


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    clip: bytes = b""
    """A sound file of somebody's speech; empty: none."""
    transcript: str = ""
    """What is said in the clip."""
    instructions: str = ""


@runtime_checkable
class Promptable(Protocol):
    """What a voice offers that clones or follows instructions."""

    def prompted(self, prompt: Prompt) -> "Voice":
        """The same model, speaking so; closing it does nothing.

        Raises: InvalidRequest when it cannot do what is asked, or lacks what it needs.
        """


def prompted(voice: "Voice", prompt: Prompt) -> "Voice":
    """Raises: InvalidRequest. Instructions are left aside by a voice that follows none."""
    if isinstance(voice, Promptable):
        return voice.prompted(prompt)
    if prompt.clip:
        raise clones_nothing()
    return voice


def clones_nothing() -> InvalidRequest:
    return InvalidRequest(
        "this model has voices of its own and clones none",
        hint="Leave ref_audio out, or name a model that clones.",
        param="ref_audio",
    )


def needs_a_clip() -> InvalidRequest:
    return InvalidRequest(
        "this model has no voice of its own: it clones the one it hears",
        hint="Send ref_audio, a few seconds of speech, and ref_text, what is said in it.",
        param="ref_audio",
    )
