"""Where a model's files really are: manifest -> hub, revision -> commit, sizes and hashes."""

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from typing import NamedTuple

from sirene_downloader import listing
from sirene_downloader.checking import run
from sirene_downloader.described import Described, by_headers, compare, digests_of
from sirene_downloader.listing import Listing
from sirene_downloader.patience import Patience
from sirene_downloader.places import COMMIT, Place, place_of, source_url
from sirene_downloader.remote import RemoteFile
from sirene_downloader.request import Client, Interrupted
from sirene_downloader.settings import Limits
from sirene_downloader.sources import REFUSES, Sources
from sirene_shared.errors import (
    HubFileMissing,
    HubOffline,
    HubUnavailable,
    PullError,
    SizeMismatch,
)
from sirene_shared.manifest import ManifestFile, Model, Variant

__all__ = ["Described", "Hub", "Place", "Resolved", "compare", "digests_of", "place_of"]

log = logging.getLogger(__name__)

LISTING_S = 10.0
Resting = Callable[[], AbstractContextManager[None]]
# A server that can tell the digest of a file may want to be asked for it (RFC 9530).
WANTED = {"Want-Repr-Digest": "sha-256=10"}


class Resolved(NamedTuple):
    files: tuple[RemoteFile, ...]
    revision: str
    """The commit of the model's own repository, as far as it is known."""
    gated: bool = False
    """The hub gives a file only to those who accepted the model's terms."""


class Hub:
    """The hub at `endpoint`, which may be a mirror that has files only and no API, and further
    mirrors that are asked when it fails."""

    def __init__(
        self,
        client: Client,
        executor: Executor,
        *,
        endpoint: str,
        offline: bool,
        limits: Limits,
        mirrors: tuple[str, ...] = (),
        refresh_token: Callable[[], None] = lambda: None,
    ) -> None:
        """refresh_token: called before each model is asked for; it blocks."""
        self._client = client
        self._executor = executor
        self._endpoint = endpoint.rstrip("/")
        self._endpoints = tuple(dict.fromkeys((self._endpoint, *mirrors)))
        self._offline = offline
        self._refresh_token = refresh_token
        self._limits = limits

    def sources(self) -> Sources:
        """What one pull needs to find each file at the first origin that gives it."""
        return Sources(self._endpoint, self._limits)

    async def resolve(self, model: Model, resting: Resting) -> Resolved:
        """Raises: HubOffline, SizeMismatch, HashMismatch, and what Client.request does."""
        if self._offline:
            raise HubOffline(
                f"{model.ref.id!r} cannot be fetched: HF_HUB_OFFLINE is set",
                hint="Unset HF_HUB_OFFLINE, or copy the files onto the volume.",
            )
        await run(self._executor, self._refresh_token)
        variant = model.variant
        wanted = [(file, place_of(variant, file, self._endpoint)) for file in variant.file_list]
        listings: dict[tuple[str, str], Listing | None] = {}
        for file, place in wanted:
            if place and place[:2] not in listings and not _is_pinned(file, place):
                listings[place[:2]] = await self._listing(place.repo, place.revision)
        survey = _Survey(self._client, self.sources(), self._endpoints, resting)
        files, own, others = [], "", ""
        for file, place in wanted:
            known = listings.get(place[:2]) if place else None
            found = await survey.file(variant, file, place, known)
            files.append(found)
            if file.repo or "://" in file.source_path:
                others = others or found.commit
            else:
                own = own or found.commit
        return Resolved(
            tuple(files),
            own or others,
            gated=any(found.gated for found in listings.values() if found),
        )

    async def _listing(self, repo: str, revision: str) -> Listing | None:
        """None where no origin lists the repository: then each file is asked for by itself.

        Raises: HubUnauthorized, HubTokenRefused, HubForbidden.
        """
        for endpoint in self._endpoints:
            try:
                return await listing.ask(
                    self._client,
                    self._executor,
                    endpoint,
                    repo,
                    revision,
                    within_s=min(LISTING_S, self._limits.headers_s),
                )
            except Interrupted as interruption:
                reason = interruption.error.message
            except HubFileMissing:
                reason = "it has no API, or none for us"
            except REFUSES as error:
                if endpoint == self._endpoint:
                    raise
                reason = error.message
            except PullError as error:
                reason = error.message
            log.info("%s lists no files of %s: %s", endpoint, repo, reason)
        return None


class _Survey:
    """Of the files of one model, at the start of a pull."""

    def __init__(
        self, client: Client, sources: Sources, endpoints: tuple[str, ...], resting: Resting
    ) -> None:
        self._client = client
        self._sources = sources
        self._endpoints = endpoints
        self._resting = resting
        # A branch may move meanwhile: the first commit heard of it holds for the whole pull.
        self._commits: dict[tuple[str, str], str] = {}

    async def file(
        self, variant: Variant, file: ManifestFile, place: Place | None, listed: Listing | None
    ) -> RemoteFile:
        described = listed.files.get(place.path) if place and listed else None
        commit = self._commit(place, listed)
        urls = self._addresses(variant, file, place, commit)
        if described is None and place and _is_pinned(file, place):
            described = Described(file.size, None)
        if described is None or described.size is None:
            described = await self._describe(urls, file.path)
            if place and described.commit and not commit:
                commit = self._commits[place[:2]] = described.commit
                urls = self._addresses(variant, file, place, commit)
        size = file.size if file.size is not None else described.size
        if size is None:
            raise SizeMismatch(
                f"nobody says how long {file.path!r} is",
                hint="Add its size to the manifest.",
            )
        compare(file, described)
        return RemoteFile(
            path=file.path,
            url=urls[0],
            fallbacks=urls[1:],
            size=size,
            digests=digests_of(file, described),
            commit=commit,
        )

    def _commit(self, place: Place | None, listed: Listing | None) -> str:
        if place is None:
            return ""
        if listed is not None:
            return listed.commit
        pinned = place.revision if COMMIT.fullmatch(place.revision) else ""
        return pinned or self._commits.get(place[:2], "")

    def _addresses(
        self, variant: Variant, file: ManifestFile, place: Place | None, commit: str
    ) -> tuple[str, ...]:
        if place is None:
            return (source_url(variant, file),)
        return tuple(place.at(endpoint, commit) for endpoint in self._endpoints)

    async def _describe(self, urls: tuple[str, ...], what: str) -> Described:
        """What the headers say. Raises: what Client.request does."""

        async def attempt(url: str, limits: Limits, _: PullError | None) -> Described:
            patience = Patience(limits, self._resting)
            while True:
                try:
                    return await self._ask(url, what)
                except Interrupted as interruption:
                    await patience.after(interruption)

        return await self._sources.first(urls, attempt)

    async def _ask(self, url: str, what: str) -> Described:
        async with self._client.request("HEAD", url, what, WANTED) as (response, about):
            described = by_headers(response.status, response.headers, about)
        if described.size is not None:
            return described
        # HEAD is refused, or tells no length: the answer to the smallest range does.
        smallest = {**WANTED, "Range": "bytes=0-0"}
        try:
            async with self._client.request("GET", url, what, smallest) as (response, about):
                return by_headers(response.status, response.headers, about)
        except (HubFileMissing, HubUnavailable):
            return described


def _is_pinned(file: ManifestFile, place: Place) -> bool:
    """The manifest says all there is to know."""
    known = file.size is not None and file.sha256 is not None
    return known and COMMIT.fullmatch(place.revision) is not None
