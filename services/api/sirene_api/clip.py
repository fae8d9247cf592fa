"""The clip of a speech request: bytes that were sent, never fetched, for a model that clones."""

import base64
import binascii
import re

from sirene_shared.errors import InvalidRequest
from sirene_shared.inference_requests import MAX_CLIP_BYTES
from sirene_shared.manifest import Model

# The body may hold the longest clip as base64, and the longest texts escaped.
MAX_BODY_BYTES = 6_500_000
DATA_URL = re.compile(r"data:[a-z0-9./+-]*(?:;[a-z0-9=.+-]+)*;base64,", re.ASCII | re.IGNORECASE)
URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)


def clip_for(model: Model, sent: str | None) -> bytes:
    """The file in `sent`; empty when there is none and the model needs none.

    Raises: InvalidRequest.
    """
    capabilities = model.variant.capabilities
    if not sent:
        if capabilities == ("cloning",):
            raise _refused(
                f"{model.ref.id!r} has no voice of its own: it clones the one it hears",
                "Send ref_audio, a few seconds of speech, and ref_text, what is said in it.",
            )
        return b""
    if "cloning" not in capabilities:
        raise _refused(
            f"{model.ref.id!r} clones no voice",
            "Leave ref_audio out, or name a model that clones.",
        )
    clip = _decoded(sent)
    if len(clip) > MAX_CLIP_BYTES:
        raise _refused(
            f"the clip has {len(clip)} bytes, {MAX_CLIP_BYTES} are allowed",
            "Three to ten seconds do well; one channel is enough.",
        )
    return clip


def _decoded(sent: str) -> bytes:
    if URL.match(sent):
        raise _refused("a clip is sent, not fetched", "Send the file itself, in base64.")
    start = match.end() if (match := DATA_URL.match(sent)) else 0
    try:
        return base64.b64decode("".join(sent[start:].split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _refused("ref_audio is no base64", "Send the file itself, in base64.") from error


def _refused(what: str, hint: str) -> InvalidRequest:
    return InvalidRequest(what, hint=hint, param="ref_audio")
