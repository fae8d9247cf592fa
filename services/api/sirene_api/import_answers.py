"""What the routes about files that somebody brings answer."""

from typing import Annotated

from msgspec import Meta

from sirene_api.views import View
from sirene_api.volume_answers import FileCheck


class UploadView(View, frozen=True, kw_only=True):
    """A file that was taken; the model is not installed by that."""

    id: str
    path: str
    size_bytes: int


class ImportView(View, frozen=True, kw_only=True):
    """A model that was installed from files that were brought."""

    id: str
    size_bytes: int
    files: list[FileCheck]
    unverified: Annotated[
        list[str], Meta(description="Files that nobody tells a hash of: what was brought counts.")
    ]


class FittingFile(View, frozen=True, kw_only=True):
    """One of the asked files as a file of a model."""

    name: Annotated[str, Meta(description="As it was asked.")]
    path: Annotated[str, Meta(description="Where the model has it: for the upload's route.")]
    is_certain: Annotated[bool, Meta(description="By its hash, or by name and exact size.")]


class FittingModel(View, frozen=True, kw_only=True):
    id: str
    license: str
    files: list[FittingFile]
    missing: Annotated[list[str], Meta(description="Paths of the model that none of them is.")]
    is_complete: bool


class Identified(View, frozen=True, kw_only=True):
    models: Annotated[list[FittingModel], Meta(description="The best first.")]
    unknown: Annotated[list[str], Meta(description="Names of files that fit nothing.")]
    hint: Annotated[str, Meta(description="What to do about them; empty: nothing.")]
