"""Files that somebody brings for a model: given to a downloader one by one, then installed."""

from typing import Annotated

from msgspec import Meta

from sirene_shared.errors import Failure
from sirene_shared.inquiries import CheckedFile
from sirene_shared.wire import AboutModel, Count, Name, Wire


class UploadRequest(AboutModel, frozen=True, kw_only=True):
    """Take one file of the manifest; its bytes follow (upload_stream.py)."""

    path: Annotated[str, Meta(min_length=1, max_length=1000)]
    size_bytes: Count


class ImportRequest(AboutModel, frozen=True, kw_only=True):
    """Install the model of the files that were brought. The answer is a series, like that of a
    verification."""

    job: Name


class ImportReply(Wire, frozen=True, kw_only=True):
    files: tuple[CheckedFile, ...] = ()
    checked_bytes: Count = 0
    total_bytes: Count = 0
    """0: nobody says how long every file is."""
    size_bytes: Count = 0
    """Of the install."""
    unverified: tuple[str, ...] = ()
    """Files that nobody tells a hash of: what was brought counts."""
    is_over: bool = False
    error: Failure | None = None
