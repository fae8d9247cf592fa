"""What the routes about the volume answer: preflights, verifications, parts that are left."""

from typing import Annotated

from msgspec import Meta

from sirene_api.views import ErrorBody, View
from sirene_shared.inquiries import FileState, TokenVerdict


class PreflightView(View, frozen=True, kw_only=True):
    """What a pull would meet; nothing was begun."""

    id: str
    total_bytes: Annotated[int | None, Meta(description="Of all files; null while unknown.")]
    missing_bytes: Annotated[
        int | None, Meta(description="Still to fetch: parts and shared files are counted as here.")
    ]
    free_bytes: Annotated[
        int, Meta(description="On the models' volume, less what running pulls have reserved.")
    ]
    reserved_bytes: int
    fits: Annotated[bool | None, Meta(description="On the volume; null while unknown.")]
    license: str
    gated: bool
    token: Annotated[TokenVerdict, Meta(description="What the hub makes of the token we have.")]
    memory_bytes: Annotated[int | None, Meta(description="When loaded; an estimate.")]
    memory_free_bytes: Annotated[
        int | None,
        Meta(description="That the roomiest replica could give it; null without a replica."),
    ]
    fits_memory: bool | None
    error: Annotated[ErrorBody | None, Meta(description="Why a pull would fail now.")]


class FileCheck(View, frozen=True, kw_only=True):
    path: str
    size_bytes: int
    state: FileState


class VerificationView(View, frozen=True, kw_only=True):
    """Every file of the install, hashed."""

    id: str
    ok: bool
    checked_bytes: int
    total_bytes: int
    files: list[FileCheck]


class PartView(View, frozen=True, kw_only=True):
    """What came of a pull that did not end with an install."""

    id: str
    writer: Annotated[str, Meta(description="The downloader whose corner it lies in.")]
    size_bytes: int
    changed_at: float
    in_use: Annotated[bool, Meta(description="A pull works on it, or waits to go on with it.")]
    is_orphan: Annotated[bool, Meta(description="Its downloader is no more.")]


class PartList(View, frozen=True, kw_only=True):
    """Of a DELETE: what was removed."""

    parts: list[PartView]
    total_bytes: int


class VolumeView(View, frozen=True, kw_only=True):
    """A volume that holds models."""

    volume: Annotated[str, Meta(description="The same for all downloaders that write to it.")]
    downloaders: list[str]
    total_bytes: int
    free_bytes: Annotated[int, Meta(description="Before what running pulls have reserved.")]
    reserved_bytes: Annotated[int, Meta(description="That running pulls will still take.")]
    installed_bytes: Annotated[
        int, Meta(description="Of models; a file that several share counts once.")
    ]
    parts_bytes: Annotated[
        int, Meta(description="Of pulls that run, wait, or did not end with an install.")
    ]


class StorageView(View, frozen=True, kw_only=True):
    volumes: list[VolumeView]
