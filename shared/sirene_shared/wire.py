"""What every message on the bus is: JSON, by msgspec.

A new field has a default, so that old bytes decode; a breaking change is a new Struct and a new
subject. Unknown fields are ignored, so that a newer sender is understood.
"""

from typing import Annotated, Self

import msgspec
from msgspec import Meta

from sirene_shared.names import ModelRef

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Count = Annotated[int, Meta(ge=0)]


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """A message: JSON, by msgspec."""

    def encode(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Raises: msgspec.MsgspecError (malformed, or a field is wrong)."""
        return msgspec.json.decode(body, type=cls)


class AboutModel(Wire, frozen=True, kw_only=True):
    """A message about one variant of one model."""

    model: Name
    variant: Name

    @property
    def ref(self) -> ModelRef:
        return ModelRef(self.model, self.variant)
