"""A model hub over real HTTP, on this machine: what huggingface.co answers, and faults on demand.

    hub = Hub()
    hub.add("rhasspy/piper-voices", "en/…/en_US-lessac-medium.onnx", b"…")
    with hub.serve() as url: ...

`/{repo}/resolve/{revision}/{path}` answers HEAD and GET with ranges, ETags and the hub's own
headers; `/api/models/{repo}/revision/{revision}` lists a repository at its commit.
"""

import asyncio
import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.support.hub_files import Fault, File

__all__ = ["Fault", "File", "Hub", "Request"]

CHUNK_BYTES = 64 << 10


class Request(NamedTuple):
    method: str
    path: str
    range: str
    had_authorization: bool


class Hub:
    """has_api: False makes it a plain mirror, with files and headers only."""

    def __init__(self, *, rate_bytes_s: int | None = None, has_api: bool = True) -> None:
        self.rate_bytes_s = rate_bytes_s
        """Of each connection; None: as fast as it goes."""
        self.has_api = has_api
        self.revisions = {"main"}
        """Names of the only commit, beside its own."""
        self.url = ""
        self.log: list[Request] = []
        """Requests for files and listings."""
        self.asked: set[str] = set()
        """Every path that was asked for, whatever it was."""
        self.sent_bytes: Counter[str] = Counter()
        """Bytes of bodies, by the file's path in its repository."""
        self._repos: dict[str, dict[str, File]] = {}
        self._faults: dict[str, Fault] = {}
        self._stopping = asyncio.Event()

    def add(
        self, repo: str, path: str, content: bytes | Path, *, is_large: bool | None = None
    ) -> File:
        file = File.of(path, content, is_large=is_large)
        self._repos.setdefault(repo, {})[path] = file
        return file

    def commit(self, repo: str) -> str:
        """The repository's only commit, which changes with its content."""
        names = sorted((path, file.sha256) for path, file in self._repos[repo].items())
        return hashlib.sha1(repr(names).encode()).hexdigest()

    def fault(self, path: str, fault: Fault | None) -> None:
        """What goes wrong with `path` from now on; None: nothing."""
        if fault is None:
            self._faults.pop(path, None)
        else:
            self._faults[path] = fault

    def requests(self, method: str, path: str) -> list[Request]:
        """Those for the file with this path in its repository."""
        return [seen for seen in self.log if seen.method == method and seen.path == path]

    @contextmanager
    def serve(self) -> Iterator[str]:
        """The hub's address, as HF_ENDPOINT; it runs in a thread of its own."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="hub")
        thread.start()
        try:
            runner = asyncio.run_coroutine_threadsafe(self._start(), loop).result(timeout=10)
            try:
                yield self.url
            finally:
                asyncio.run_coroutine_threadsafe(self._stop(runner), loop).result(timeout=10)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(timeout=10)
            loop.close()

    async def _start(self) -> web.AppRunner:
        self._stopping = asyncio.Event()
        app = web.Application(middlewares=[self._count])
        app.router.add_get("/{repo:[^/]+/[^/]+}/resolve/{revision}/{path:.+}", self._file)
        app.router.add_get("/api/models/{repo:[^/]+/[^/]+}/revision/{revision}", self._listing)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return runner

    async def _stop(self, runner: web.AppRunner) -> None:
        self._stopping.set()
        await runner.cleanup()

    @web.middleware
    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked.add(request.path)
        return await handler(request)

    async def _listing(self, request: web.Request) -> web.Response:
        repo = request.match_info["repo"]
        self._note(request, request.path)
        if not self.has_api or not self._has(repo, request.match_info["revision"]):
            return web.json_response({"error": "Repository not found"}, status=404)
        siblings = [file.listed(path) for path, file in self._repos[repo].items()]
        return web.json_response(
            {"id": repo, "modelId": repo, "sha": self.commit(repo), "siblings": siblings}
        )

    async def _file(self, request: web.Request) -> web.StreamResponse:
        repo, path = request.match_info["repo"], request.match_info["path"]
        self._note(request, path)
        fault = self._take_fault(path, request.method)
        if fault.status is not None:
            return web.Response(status=fault.status, headers=fault.headers)
        if fault.redirect is not None:
            return web.Response(status=302, headers={"Location": fault.redirect})
        file = self._repos.get(repo, {}).get(path)
        if file is None or not self._has(repo, request.match_info["revision"]):
            return web.Response(status=404, headers={"X-Error-Code": "EntryNotFound"})
        return await self._answer(request, repo, path, file, fault)

    async def _answer(
        self, request: web.Request, repo: str, path: str, file: File, fault: Fault
    ) -> web.StreamResponse:
        etag = f'"{fault.etag or file.etag}"'
        start, end, status = 0, file.size, 200
        asked = request.http_range
        unchanged = request.headers.get("If-Range", etag) == etag
        if asked.start is not None and unchanged and not fault.ignores_ranges:
            start, end, status = asked.start, min(asked.stop or file.size, file.size), 206
            if start >= file.size:
                return web.Response(status=416, headers={"Content-Range": f"bytes */{file.size}"})
        response = web.StreamResponse(status=status)
        response.headers.update({"ETag": etag, "Accept-Ranges": "bytes", **fault.headers})
        response.headers["X-Repo-Commit"] = self.commit(repo)
        if file.is_large:
            response.headers["X-Linked-Etag"] = f'"{file.sha256}"'
            response.headers["X-Linked-Size"] = str(file.size)
        if status == 206:
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
        response.content_type = "text/html" if fault.html else "application/octet-stream"
        end = end if fault.length is None else start + fault.length
        response.content_length = end - start
        await response.prepare(request)
        if request.method == "GET":
            with suppress(ConnectionError):  # the client has left
                await self._send(request, response, path, file, range(start, end), fault)
        return response

    async def _send(
        self,
        request: web.Request,
        response: web.StreamResponse,
        path: str,
        file: File,
        span: range,
        fault: Fault,
    ) -> None:
        ends = [at for at in (fault.drop_at, fault.stall_at) if at is not None]
        end = min([span.stop, *ends])
        position = span.start
        while position < end:
            size = min(CHUNK_BYTES, end - position)
            chunk = file.read(position, position + size).ljust(size, b"\0")
            if fault.html:
                chunk = b"<html>".ljust(size, b" ")
            if fault.flip_at is not None and position <= fault.flip_at < position + size:
                at = fault.flip_at - position
                chunk = chunk[:at] + bytes([chunk[at] ^ 0xFF]) + chunk[at + 1 :]
            await response.write(chunk)
            position += size
            self.sent_bytes[path] += size
            if self.rate_bytes_s:
                await asyncio.sleep(size / self.rate_bytes_s)
        if fault.drop_at is not None and fault.drop_at < span.stop and request.transport:
            request.transport.abort()
        elif fault.stall_at is not None and fault.stall_at < span.stop:
            await self._stopping.wait()

    def _has(self, repo: str, revision: str) -> bool:
        return repo in self._repos and revision in {*self.revisions, self.commit(repo)}

    def _note(self, request: web.Request, path: str) -> None:
        headers = request.headers
        self.log.append(
            Request(request.method, path, headers.get("Range", ""), "Authorization" in headers)
        )

    def _take_fault(self, path: str, method: str) -> Fault:
        fault = self._faults.get(path)
        if fault is None or fault.times == 0 or (method == "HEAD" and not fault.heads):
            return Fault()
        if fault.times is not None:
            fault.times -= 1
        return fault
