"""The hub itself: repositories, what is asked of them, and what goes wrong on the way."""

import asyncio
import hashlib
import json
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.support.hub.answer import Answer, asked_span, reset
from tests.support.hub.fault import Fault, Misfortune
from tests.support.hub.files import File

# The paths under which faults of the API are told: of a repository, and of its tree.
LISTING = "listing"
TREE = "tree"


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
        self.token = ""
        """Files are given to whoever sends this one alone; empty: to everybody."""
        self.url = ""
        self.log: list[Request] = []
        """Requests for files and listings."""
        self.asked: set[str] = set()
        """Every path that was asked for, whatever it was."""
        self.sent_bytes: Counter[str] = Counter()
        """Bytes of bodies, by the file's path in its repository."""
        self.resets_on_accept = 0
        """So many connections more are broken before a byte is read from them."""
        self._repos: dict[str, dict[str, File]] = {}
        self._faults: dict[str, tuple[Misfortune, ...]] = {}
        self._met: list[Misfortune] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._released = asyncio.Event()

    def add(
        self, repo: str, path: str, content: bytes | Path, *, is_large: bool | None = None
    ) -> File:
        file = File.of(path, content, is_large=is_large)
        self._repos.setdefault(repo, {})[path] = file
        return file

    def announce(self, repo: str, path: str, size: int) -> None:
        """List a file of any size, of which there is nothing to be had."""
        empty = File.of(path, b"", is_large=True)
        self._repos.setdefault(repo, {})[path] = empty._replace(size=size)

    def commit(self, repo: str) -> str:
        """The repository's only commit, which changes with its content."""
        names = sorted((path, file.sha256) for path, file in self._repos[repo].items())
        return hashlib.sha1(repr(names).encode()).hexdigest()

    def fault(self, path: str, *faults: Misfortune | None) -> None:
        """What goes wrong with `path` from now on: for each request the first that meets it.

        None: nothing. path: of a file in its repository, LISTING or TREE.
        """
        self._faults[path] = tuple(fault for fault in faults if fault is not None)

    @property
    def faulty(self) -> list[str]:
        """The paths with which something goes wrong."""
        return [path for path, faults in self._faults.items() if faults]

    def unmet(self, path: str) -> list[Misfortune]:
        """What was to go wrong with `path` and never did: a script that shows nothing."""
        return [
            each for each in self._faults.get(path, ()) if not any(each is met for met in self._met)
        ]

    def release(self) -> None:
        """Let go on what stalls, now and from now on."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._released.set)

    def requests(self, method: str, path: str) -> list[Request]:
        """Those for the file with this path in its repository."""
        return [seen for seen in self.log if seen.method == method and seen.path == path]

    def listing(self, repo: str) -> dict[str, object]:
        """What the API says of the repository."""
        siblings = [file.listed(path) for path, file in self._repos[repo].items()]
        return {"id": repo, "modelId": repo, "sha": self.commit(repo), "siblings": siblings}

    @contextmanager
    def serve(self, tls: ssl.SSLContext | None = None) -> Iterator[str]:
        """The hub's address, as HF_ENDPOINT; it runs in a thread of its own.

        tls: speak https with this certificate.
        """
        self._loop = loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="hub")
        thread.start()
        try:
            runner, server = asyncio.run_coroutine_threadsafe(self._start(tls), loop).result(10)
            try:
                yield self.url
            finally:
                asyncio.run_coroutine_threadsafe(self._stop(runner, server), loop).result(10)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(timeout=10)
            loop.close()

    async def _start(self, tls: ssl.SSLContext | None) -> tuple[web.AppRunner, asyncio.Server]:
        self._released = asyncio.Event()
        app = web.Application(middlewares=[self._count])
        app.router.add_get("/{repo:[^/]+/[^/]+}/resolve/{revision}/{path:.+}", self._file)
        app.router.add_get("/api/whoami-v2", self._who)
        models = "/api/models/{repo:[^/]+/[^/]+}"
        app.router.add_get(models + "/revision/{revision}", self._revision)
        app.router.add_get(models + "/tree/{revision}", self._tree)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await runner.setup()
        accept = runner.server
        assert accept is not None

        def accepted() -> asyncio.Protocol:
            if self.resets_on_accept > 0:
                self.resets_on_accept -= 1
                return _Refusal()
            return accept()

        loop = asyncio.get_running_loop()
        server = await loop.create_server(accepted, "127.0.0.1", 0, ssl=tls)
        host, port = server.sockets[0].getsockname()
        self.url = f"{'https' if tls else 'http'}://{host}:{port}"
        return runner, server

    async def _stop(self, runner: web.AppRunner, server: asyncio.Server) -> None:
        self._released.set()
        server.close()
        await runner.cleanup()

    @web.middleware
    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked.add(request.path)
        return await handler(request)

    def _is_refused(self, request: web.Request) -> bool:
        sent = request.headers.get("Authorization", "")
        return bool(self.token) and sent != f"Bearer {self.token}"

    async def _who(self, request: web.Request) -> web.StreamResponse:
        if not self.has_api or "Authorization" not in request.headers:
            return web.json_response({}, status=404 if not self.has_api else 401)
        if not self.token or self._is_refused(request):
            return web.json_response({"error": "Invalid user token."}, status=401)
        return web.json_response({"name": "somebody"})

    async def _revision(self, request: web.Request) -> web.StreamResponse:
        repo = request.match_info["repo"]
        told = self.listing(repo) if repo in self._repos else {}
        return await self._listed(request, LISTING, told)

    async def _tree(self, request: web.Request) -> web.StreamResponse:
        files = self._repos.get(request.match_info["repo"], {})
        told = [file.in_tree(path) for path, file in files.items()]
        return await self._listed(request, TREE, told)

    async def _listed(self, request: web.Request, kind: str, told: object) -> web.StreamResponse:
        self._note(request, request.path)
        fault = self._take_fault(kind, request, 1)
        instead = await self._instead(request, fault)
        if instead is not None:
            return instead
        repo = request.match_info["repo"]
        if not self.has_api or not self._has(repo, request.match_info["revision"]):
            return web.json_response({"error": "Repository not found"}, status=404)
        file = File.of(kind, json.dumps(told).encode(), is_large=False)
        return await self._answer(request, kind, file, fault, "application/json")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        repo, path = request.match_info["repo"], request.match_info["path"]
        self._note(request, path)
        file = self._repos.get(repo, {}).get(path)
        fault = self._take_fault(path, request, file.size if file else 0)
        instead = await self._instead(request, fault)
        if instead is not None:
            return instead
        if file is None or not self._has(repo, request.match_info["revision"]):
            return web.Response(status=404, headers={"X-Error-Code": "EntryNotFound"})
        if self._is_refused(request):
            return web.Response(status=401, headers={"X-Error-Code": "GatedRepo"})
        if fault.content is not None:
            file = File.of(path, fault.content, is_large=file.is_large)
        return await self._answer(request, path, file, fault, "application/octet-stream")

    async def _answer(
        self, request: web.Request, path: str, file: File, fault: Fault, content_type: str
    ) -> web.StreamResponse:
        answer = Answer(
            request,
            file,
            fault,
            commit=self.commit(request.match_info["repo"]),
            content_type=content_type,
            rate_bytes_s=self.rate_bytes_s if path not in (LISTING, TREE) else None,
            sent=lambda size: self.sent_bytes.update({path: size}),
            released=self._released,
        )
        return await answer.send()

    async def _instead(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        hop = int(request.query.get("hop", "0"))
        if fault.silent:
            await self._released.wait()
        if fault.reset:
            reset(request)
        if fault.raw is not None and request.transport:
            request.transport.write(fault.raw)
            request.transport.close()
        if fault.reset or fault.raw is not None:
            await asyncio.Event().wait()  # until the loss of the connection cancels us
        if fault.status is not None:
            return web.Response(status=fault.status, headers=fault.headers, body=fault.body)
        if fault.redirect is not None:
            return web.Response(status=302, headers={"Location": fault.redirect})
        if hop < fault.hops:
            onward = request.rel_url.with_query(hop=hop + 1)
            return web.Response(status=302, headers={"Location": str(onward)})
        return None

    def _has(self, repo: str, revision: str) -> bool:
        return repo in self._repos and revision in {*self.revisions, self.commit(repo)}

    def _note(self, request: web.Request, path: str) -> None:
        headers = request.headers
        self.log.append(
            Request(request.method, path, headers.get("Range", ""), "Authorization" in headers)
        )

    def _take_fault(self, path: str, request: web.Request, size: int) -> Fault:
        asked = asked_span(request, size)
        for misfortune in self._faults.get(path, ()):
            fault = misfortune.take(request.method, asked)
            if fault is not None:
                self._met.append(misfortune)
                return fault
        return Fault()


class _Refusal(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()
