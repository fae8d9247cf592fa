"""Where the manifest says that a file is: in a repository of the hub, or anywhere on the web."""

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from huggingface_hub import hf_hub_url

from sirene_downloader.settings import PUBLIC_HUB
from sirene_shared.manifest import Catalogue, ManifestFile, Variant

COMMIT = re.compile(r"[0-9a-f]{40}")
PLACE = re.compile(
    r"/(?P<repo>[^/?#]+(?:/[^/?#]+)?)/resolve/(?P<revision>[^/?#]+)/(?P<path>[^?#]*)"
)


class Place(NamedTuple):
    """A file in a repository of the hub."""

    repo: str
    revision: str
    path: str

    def at(self, endpoint: str, commit: str) -> str:
        """Its address on the hub or a mirror; commit: empty when nobody knows one."""
        return hf_hub_url(self.repo, self.path, revision=commit or self.revision, endpoint=endpoint)


def place_of(variant: Variant, file: ManifestFile, endpoint: str) -> Place | None:
    """None: the file is not on the hub, nor on its mirror at `endpoint`."""
    if file.repo:
        return Place(file.repo, file.revision or "main", file.source_path)
    url = source_url(variant, file)
    for host in (PUBLIC_HUB, endpoint):
        match = PLACE.fullmatch(url.removeprefix(host)) if url.startswith(host) else None
        if match:
            # A source with an address of its own is not in the repository of the variant.
            own = None if "://" in file.source_path else variant.revision
            pinned = file.revision or own or unquote(match["revision"])
            return Place(match["repo"], pinned, unquote(match["path"]))
    return None


def source_url(variant: Variant, file: ManifestFile) -> str:
    """As the manifest writes it."""
    if "://" in file.source_path:
        return file.source_path
    return f"{variant.url.rstrip('/')}/{file.source_path}"


def plain_urls(catalogue: Catalogue, endpoint: str) -> Iterator[str]:
    """Of every file that is not on the hub."""
    for model in catalogue.models():
        for file in model.variant.file_list:
            if place_of(model.variant, file, endpoint) is None:
                yield source_url(model.variant, file)
