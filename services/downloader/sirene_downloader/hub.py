"""Where a model's files really are: manifest -> hub, revision -> commit, sizes and hashes."""

import asyncio
import logging
import re
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from typing import NamedTuple
from urllib.parse import unquote

from huggingface_hub import HfApi, constants, hf_hub_url

from sirene_downloader.patience import Patience
from sirene_downloader.remote import Digest, RemoteFile
from sirene_downloader.request import LINKED_SIZE, Client, Interrupted
from sirene_downloader.settings import PUBLIC_HUB, Limits
from sirene_shared.errors import HashMismatch, HubOffline, SizeMismatch
from sirene_shared.manifest import ManifestFile, Model, Variant

log = logging.getLogger(__name__)

LISTING_S = 10.0
COMMIT = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
PLACE = re.compile(
    r"/(?P<repo>[^/?#]+(?:/[^/?#]+)?)/resolve/(?P<revision>[^/?#]+)/(?P<path>[^?#]*)"
)


class Place(NamedTuple):
    """A file in a repository of the hub."""

    repo: str
    revision: str
    path: str


class Described(NamedTuple):
    """What an origin says of a file."""

    size: int | None
    digest: Digest | None
    commit: str = ""


class Listing(NamedTuple):
    """A repository at a commit."""

    commit: str
    files: dict[str, Described]


class Resolved(NamedTuple):
    files: tuple[RemoteFile, ...]
    revision: str
    """The commit of the model's own repository, as far as it is known."""


class Hub:
    """The hub at `endpoint`, which may be a mirror that has files only and no API."""

    def __init__(
        self,
        client: Client,
        executor: Executor,
        *,
        endpoint: str,
        token: str,
        offline: bool,
        limits: Limits,
    ) -> None:
        self._client = client
        self._executor = executor
        self._endpoint = endpoint.rstrip("/")
        # What runs on this machine is nobody's business: the library would tell it to the hub, and
        # ask the hub for a list of what to look for.
        constants.HF_HUB_DISABLE_TELEMETRY = True
        # An explicit False: the library would look for a token of its own, and send that.
        self._api = HfApi(endpoint=self._endpoint, token=token or False)
        self._offline = offline
        self._limits = limits

    async def resolve(
        self, model: Model, resting: Callable[[], AbstractContextManager[None]]
    ) -> Resolved:
        """Raises: HubOffline, SizeMismatch, HashMismatch, and what Client.request does."""
        if self._offline:
            raise HubOffline(
                f"{model.ref.id!r} cannot be fetched: HF_HUB_OFFLINE is set",
                hint="Unset HF_HUB_OFFLINE, or copy the files onto the volume.",
            )
        variant = model.variant
        wanted = [(file, place_of(variant, file, self._endpoint)) for file in variant.file_list]
        listings: dict[tuple[str, str], Listing | None] = {}
        for file, place in wanted:
            if place and place[:2] not in listings and not _is_pinned(file, place):
                listings[place[:2]] = await self._listing(place.repo, place.revision)
        files = []
        for file, place in wanted:
            listing = listings.get(place[:2]) if place else None
            files.append(await self._file(variant, file, place, listing, resting))
        return Resolved(tuple(files), next((file.commit for file in files if file.commit), ""))

    async def _listing(self, repo: str, revision: str) -> Listing | None:
        """None where the hub has no API, or not for us: then each file is asked for by itself."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._ask_listing, repo, revision)

    def _ask_listing(self, repo: str, revision: str) -> Listing | None:
        try:
            model = self._api.model_info(
                repo,
                revision=revision,
                files_metadata=True,
                timeout=min(LISTING_S, self._limits.headers_s),
            )
            files = {
                sibling.rfilename: Described(
                    sibling.size,
                    Digest("sha256", sibling.lfs.sha256)
                    if sibling.lfs
                    else _digest(sibling.blob_id or "", in_git=True),
                )
                for sibling in model.siblings or ()
            }
        except Exception as error:  # noqa: BLE001 - the library raises whatever its HTTP client does
            log.info("the hub lists no files of %s: %s", repo, type(error).__name__)
            return None
        return Listing(model.sha, files) if model.sha else None

    async def _file(
        self,
        variant: Variant,
        file: ManifestFile,
        place: Place | None,
        listing: Listing | None,
        resting: Callable[[], AbstractContextManager[None]],
    ) -> RemoteFile:
        described = listing.files.get(place.path) if place and listing else None
        commit = listing.commit if listing else ""
        if place and not commit and COMMIT.fullmatch(place.revision):
            commit = place.revision
        url = self._address(variant, file, place, commit)
        if described is None and place and _is_pinned(file, place):
            described = Described(file.size, None)
        if described is None or described.size is None:
            described = await self._describe(url, file.path, resting)
            if described.commit and not commit:
                commit = described.commit
                url = self._address(variant, file, place, commit)
        size = file.size if file.size is not None else described.size
        if size is None:
            raise SizeMismatch(
                f"nobody says how long {file.path!r} is",
                hint="Add its size to the manifest.",
            )
        compare(file, described)
        return RemoteFile(
            path=file.path,
            url=url,
            size=size,
            digests=digests_of(file, described),
            commit=commit,
        )

    def _address(
        self, variant: Variant, file: ManifestFile, place: Place | None, commit: str
    ) -> str:
        if place is None:
            return _url(variant, file)
        return hf_hub_url(
            place.repo, place.path, revision=commit or place.revision, endpoint=self._endpoint
        )

    async def _describe(
        self, url: str, what: str, resting: Callable[[], AbstractContextManager[None]]
    ) -> Described:
        """What the headers say. Raises: what Client.request does."""
        patience = Patience(self._limits, resting)
        while True:
            try:
                async with self._client.request("HEAD", url, what) as (response, about):
                    commit = about.get("X-Repo-Commit", "")
                    length = about.get(LINKED_SIZE) or response.headers.get("Content-Length") or ""
                    linked = about.get("X-Linked-Etag", "")
                    etag = linked or response.headers.get("ETag", "")
                    # Elsewhere an ETag that looks like a hash may be anything.
                    named = etag.removeprefix("W/").strip('"') if linked or commit else ""
                    return Described(
                        int(length) if length.isdecimal() and response.status != 405 else None,
                        _digest(named, in_git=bool(commit)),
                        commit if COMMIT.fullmatch(commit) else "",
                    )
            except Interrupted as interruption:
                await patience.after(interruption)


def place_of(variant: Variant, file: ManifestFile, endpoint: str) -> Place | None:
    """None: the file is not on the hub, nor on its mirror at `endpoint`."""
    if file.repo:
        return Place(file.repo, file.revision or "main", file.source_path)
    url = _url(variant, file)
    for host in (PUBLIC_HUB, endpoint):
        match = PLACE.fullmatch(url.removeprefix(host)) if url.startswith(host) else None
        if match:
            # A source with an address of its own is not in the repository of the variant.
            own = None if "://" in file.source_path else variant.revision
            pinned = file.revision or own or unquote(match["revision"])
            return Place(match["repo"], pinned, unquote(match["path"]))
    return None


def _url(variant: Variant, file: ManifestFile) -> str:
    if "://" in file.source_path:
        return file.source_path
    return f"{variant.url.rstrip('/')}/{file.source_path}"


def _is_pinned(file: ManifestFile, place: Place) -> bool:
    """The manifest says all there is to know."""
    known = file.size is not None and file.sha256 is not None
    return known and COMMIT.fullmatch(place.revision) is not None


def digests_of(file: ManifestFile, described: Described) -> tuple[Digest, ...]:
    """The manifest's sha256 settles it; an md5 does not, and so the hub's word counts beside it."""
    if file.sha256:
        return (Digest("sha256", file.sha256),)
    manifest = Digest("md5", file.md5) if file.md5 else None
    return tuple(each for each in (manifest, described.digest) if each is not None)


def _digest(text: str, *, in_git: bool) -> Digest | None:
    if SHA256.fullmatch(text):
        return Digest("sha256", text)
    return Digest("git-sha1", text) if in_git and COMMIT.fullmatch(text) else None


def compare(file: ManifestFile, described: Described) -> None:
    """Raises: SizeMismatch, HashMismatch before a byte is fetched in vain."""
    hint = "The hub has another version than the manifest: update Sirene or the manifest."
    if None not in (file.size, described.size) and file.size != described.size:
        raise SizeMismatch(
            f"{file.path!r} has {described.size} bytes on the hub, not {file.size}", hint=hint
        )
    theirs = described.digest
    if file.sha256 and theirs and theirs.algorithm == "sha256" and theirs.hex != file.sha256:
        raise HashMismatch(f"{file.path!r} is another file on the hub", hint=hint)
