"""A repository at a commit, as the hub's API lists it.

huggingface_hub would read whatever comes, and unpack it: this reads so much and no more.
"""

import asyncio
from concurrent.futures import Executor
from urllib.parse import quote

import msgspec

from sirene_downloader.described import Described, named_digest
from sirene_downloader.places import COMMIT
from sirene_downloader.request import Client
from sirene_shared.errors import HubUnavailable

# A repository of ten thousand files takes about 3 MB.
MAX_BYTES = 8 << 20
# Two a file, and some for what else is told: bounds what reading them takes.
MAX_OBJECTS = 80_000


class Lfs(msgspec.Struct):
    sha256: str
    size: int


class Sibling(msgspec.Struct, gc=False):
    name: str = msgspec.field(name="rfilename")
    size: int | None = None
    blob_id: str = msgspec.field(name="blobId", default="")
    lfs: Lfs | None = None


class Told(msgspec.Struct):
    """The part of the answer that matters here."""

    sha: str
    gated: bool | str = False
    siblings: list[Sibling] = []


class Listing(msgspec.Struct, frozen=True):
    commit: str
    files: dict[str, Described]
    gated: bool = False
    """Its terms must be accepted before the files are given."""


async def ask(
    client: Client, executor: Executor, endpoint: str, repo: str, revision: str, within_s: float
) -> Listing:
    """Raises: HubUnavailable for an answer that is none, and what Client.request does."""
    url = f"{endpoint}/api/models/{quote(repo)}/revision/{quote(revision, safe='')}?blobs=true"
    body = bytearray()
    try:
        async with asyncio.timeout(within_s), client.request("GET", url, repo) as answer:
            if answer.response.headers.get("Content-Encoding", "identity") != "identity":
                raise HubUnavailable(f"the list of files of {repo!r} comes compressed")
            async for chunk in answer.chunks(repo):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise HubUnavailable(f"the list of files of {repo!r} is far too long")
    except TimeoutError:
        raise HubUnavailable(f"the list of files of {repo!r} does not come") from None
    return await asyncio.get_running_loop().run_in_executor(executor, parse, body, repo)


def parse(body: bytes | bytearray, repo: str) -> Listing:
    """Raises: HubUnavailable."""
    if body.count(b"{") > MAX_OBJECTS:
        raise HubUnavailable(f"the list of files of {repo!r} is far too long")
    try:
        told = msgspec.json.decode(body, type=Told)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise HubUnavailable(f"the list of files of {repo!r} cannot be read") from None
    if not COMMIT.fullmatch(told.sha):
        raise HubUnavailable(f"the list of files of {repo!r} names no commit")
    files = {each.name: _described(each) for each in told.siblings}
    return Listing(told.sha, files, bool(told.gated))


def _described(sibling: Sibling) -> Described:
    digest = named_digest(sibling.blob_id, in_git=True)
    if sibling.lfs is not None:
        # Never the name in git: that is of the pointer to the file.
        digest = named_digest(sibling.lfs.sha256, in_git=False)
    return Described(sibling.size, digest)
