"""The web UI's files, read once and held in memory: what is not among them cannot be reached.

/assets/…               named by their content: kept by browsers for a year
/, /index.html, /…      the page; every path that a browser opens and no route has leads to it,
                        since the page finds its way by the path itself
"""

import gzip
import hashlib
import re
from pathlib import Path
from typing import NamedTuple, Self

from sirene_api.guards import App, Receive, Scope, Send

PAGE = "index.html"
# Paths of programs: what is unknown there is an error for them, not the page.
NOT_OURS = ("api", "v1", "schema", "metrics", "assets")
IMMUTABLE = "public, max-age=31536000, immutable"
# Radix sets style attributes; audio and recordings are blobs.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "font-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "object-src 'none'",
    )
)
# The system's own table differs from machine to machine, and a wrong type is not run.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
COMPRESSED_ALREADY = frozenset({".ico", ".jpg", ".png", ".webp", ".woff2"})
WORTH_COMPRESSING_BYTES = 1024
NO_GZIP = re.compile(r";\s*q=0(?:\.0*)?\s*$", re.ASCII)


class File(NamedTuple):
    media_type: str
    cache: str
    body: bytes
    gzipped: bytes | None
    digest: str

    @classmethod
    def read(cls, path: Path, *, cache: str) -> Self:
        """A `.gz` beside the file is taken for it. Raises: OSError."""
        body, gzipped = path.read_bytes(), None
        beside = path.with_name(f"{path.name}.gz")
        if beside.is_file():
            gzipped = beside.read_bytes()
        elif path.suffix not in COMPRESSED_ALREADY and len(body) >= WORTH_COMPRESSING_BYTES:
            gzipped = gzip.compress(body, mtime=0)
        return cls(
            media_type=MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
            cache=cache,
            body=body,
            gzipped=gzipped,
            digest=hashlib.sha256(body).hexdigest()[:32],
        )

    def answer(self, headers: dict[bytes, str]) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for a request with these headers."""
        body, etag = self.body, f'"{self.digest}"'
        told = {
            "content-type": self.media_type,
            "cache-control": self.cache,
            "content-security-policy": CONTENT_SECURITY_POLICY,
            "referrer-policy": "same-origin",
        }
        if self.gzipped is not None:
            told["vary"] = "accept-encoding"
            if _takes_gzip(headers.get(b"accept-encoding", "")):
                body, etag = self.gzipped, f'"{self.digest}-gzip"'
                told["content-encoding"] = "gzip"
        told["etag"] = etag
        if _is_known(etag, headers.get(b"if-none-match", "")):
            kept = ("cache-control", "etag", "vary", "content-security-policy")
            return 304, {name: told[name] for name in kept if name in told}, b""
        return 200, told | {"content-length": str(len(body))}, body


class WebUI:
    def __init__(self, files: dict[str, File]) -> None:
        """files: by their path, as in `assets/index-3f9c.js`; among them the PAGE."""
        self._files = files

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Every plain file of the build. Raises: OSError."""
        files = {}
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file() or path.suffix == ".gz":
                continue
            name = path.relative_to(folder).as_posix()
            cache = IMMUTABLE if name.startswith("assets/") else "no-cache"
            files[name] = File.read(path, cache=cache)
        return cls(files)

    def find(self, path: str, accept: str) -> File | None:
        """What a GET of the path is answered with; None: it is no business of the page."""
        name = path.removeprefix("/")
        if not name:
            return self._files[PAGE]
        if name in self._files:
            return self._files[name]
        is_ours = name.partition("/")[0] not in NOT_OURS
        return self._files[PAGE] if is_ours and "text/html" in accept else None

    def before(self, app: App) -> App:
        """An application that answers with the files, and passes on what is not theirs."""

        async def with_ui(scope: Scope, receive: Receive, send: Send) -> None:
            file = None
            if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
                headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
                file = self.find(scope["path"], headers.get(b"accept", "").lower())
            if file is None:
                await app(scope, receive, send)
                return
            status, told, body = file.answer(headers)
            raw = [(name.encode(), value.encode()) for name, value in told.items()]
            await send({"type": "http.response.start", "status": status, "headers": raw})
            body = b"" if scope["method"] == "HEAD" else body
            await send({"type": "http.response.body", "body": body})

        return with_ui


def _takes_gzip(accept_encoding: str) -> bool:
    for each in accept_encoding.lower().split(","):
        if each.partition(";")[0].strip() in ("gzip", "*"):
            return not NO_GZIP.search(each)
    return False


def _is_known(etag: str, if_none_match: str) -> bool:
    known = (each.strip().removeprefix("W/") for each in if_none_match.split(","))
    return any(each in (etag, "*") for each in known)
