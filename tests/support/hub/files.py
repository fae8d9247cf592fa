"""What a hub holds."""

import hashlib
from pathlib import Path
from typing import NamedTuple

# The hub keeps larger files, and those of these kinds, in its large-file store, known by sha256.
LARGE_BYTES = 1 << 20
LARGE_SUFFIXES = frozenset({".onnx", ".safetensors", ".pt", ".pth", ".bin"})
BLOCK_BYTES = 1 << 20


class File(NamedTuple):
    content: bytes | Path
    size: int
    sha256: str
    git_sha1: str
    is_large: bool

    def read(self, start: int, end: int) -> bytes:
        if isinstance(self.content, bytes):
            return self.content[start:end]
        with self.content.open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    @classmethod
    def of(cls, path: str, content: bytes | Path, *, is_large: bool | None) -> "File":
        """is_large: None for what the hub would do with a file like it."""
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        sha256, git_sha1 = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size)
        whole = cls(content, size, "", "", False)
        for start in range(0, size, BLOCK_BYTES):
            block = whole.read(start, start + BLOCK_BYTES)
            sha256.update(block)
            git_sha1.update(block)
        if is_large is None:
            is_large = size >= LARGE_BYTES or Path(path).suffix in LARGE_SUFFIXES
        return cls(content, size, sha256.hexdigest(), git_sha1.hexdigest(), is_large)

    @property
    def etag(self) -> str:
        return self.sha256 if self.is_large else self.git_sha1

    def listed(self, path: str) -> dict[str, object]:
        """As the hub's API tells of a file."""
        told: dict[str, object] = {"rfilename": path, "size": self.size, "blobId": self.git_sha1}
        if self.is_large:
            told["lfs"] = {"sha256": self.sha256, "size": self.size, "pointerSize": 134}
        return told

    def in_tree(self, path: str) -> dict[str, object]:
        """As the hub's API lists it in the tree of a commit."""
        told: dict[str, object] = {
            "type": "file",
            "path": path,
            "size": self.size,
            "oid": self.git_sha1,
        }
        if self.is_large:
            told["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": 134}
        return told
