"""A server of its own for the client commands: speaks the HTTP contract, and fails on request."""

import asyncio
import io
import json
import wave
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

MODEL = "piper:fr_FR-siwis-medium"
RATE = 22_050
SAMPLES = b"\1\2" * RATE
Stream = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


def model(model_id: str, state: str, **more: object) -> dict[str, object]:
    name, _, variant = model_id.partition(":")
    return {
        "id": model_id,
        "name": name,
        "variant": variant,
        "is_default": True,
        "description": "",
        "backend": "piper",
        "license": "MIT",
        "languages": ["fr-FR"],
        "size_bytes": 63_206_169,
        "state": state,
        "job": "",
        "transfer": None,
        "installed_bytes": 63_206_169 if state == "installed" else 0,
        "error": None,
        "loaded": [],
        **more,
    }


def streaming_wav() -> bytes:
    """A header as it is sent before the length is known."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
    unknown = b"\xff" * 4
    header = made.getvalue()
    return header[:4] + unknown + header[8:40] + unknown


class ContractServer:
    def __init__(self) -> None:
        self.models = [model(MODEL, "installed"), model("kokoro:v1.0", "absent")]
        self.loaded: list[dict[str, object]] = []
        self.answers: dict[str, list[web.Response]] = {}
        """`METHOD /path` -> what is answered first, before the usual."""
        self.pulls: list[Stream] = []
        """What each connection to a pull's stream does, one after the other."""
        self.speech: Stream = self.speak
        self.requests: list[str] = []
        self.queries: list[dict[str, str]] = []
        self.bodies: list[dict[str, object]] = []
        self.last_event_ids: list[str | None] = []
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> "ContractServer":
        app = web.Application(middlewares=[self._scripted])
        app.router.add_get("/api/models", self._list)
        app.router.add_get("/api/models/loaded", self._list_loaded)
        app.router.add_get("/api/models/{id}", self._one)
        app.router.add_get("/api/models/{id}/pull", self._pull)
        app.router.add_delete("/api/models/{id}", self._delete)
        app.router.add_post("/v1/audio/speech", self._speech)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    def answer(self, request: str, body: object, status: int = 200) -> None:
        self.answers.setdefault(request, []).append(web.json_response(body, status=status))

    def refuse(self, request: str, status: int, code: str, message: str, hint: str = "") -> None:
        error = {"message": message, "type": "x", "code": code, "param": None, "hint": hint}
        self.answer(request, {"error": error}, status)

    @web.middleware
    async def _scripted(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        name = f"{request.method} {request.path}"
        self.requests.append(name)
        self.queries.append(dict(request.query))
        if request.can_read_body:
            self.bodies.append(await request.json())
        if scripted := self.answers.get(name):
            return scripted.pop(0)
        return await handler(request)

    async def _list(self, request: web.Request) -> web.Response:
        wanted = "installed" if request.query.get("installed") == "true" else None
        found = [one for one in self.models if wanted in (None, one["state"])]
        return web.json_response({"models": found})

    async def _list_loaded(self, _: web.Request) -> web.Response:
        return web.json_response({"models": self.loaded, "replicas": []})

    async def _one(self, request: web.Request) -> web.Response:
        for one in self.models:
            if one["id"] == request.match_info["id"]:
                return web.json_response(one)
        error = {"message": "no such model", "code": "model_not_found", "hint": "List them."}
        return web.json_response({"error": error}, status=404)

    async def _delete(self, request: web.Request) -> web.Response:
        return web.json_response({"id": request.match_info["id"], "freed_bytes": 63_206_169})

    async def _pull(self, request: web.Request) -> web.StreamResponse:
        self.last_event_ids.append(request.headers.get("Last-Event-ID"))
        if not self.pulls:
            return web.Response(status=204)
        return await self._stream(request, self.pulls.pop(0), "text/event-stream")

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        return await self._stream(request, self.speech, "audio/wav")

    async def _stream(self, request: web.Request, act: Stream, kind: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        with suppress(ConnectionError):
            await act(request, response)
        return response

    @staticmethod
    async def speak(_: web.Request, response: web.StreamResponse) -> None:
        await response.write(streaming_wav())
        for start in range(0, len(SAMPLES), 10_000):
            await response.write(SAMPLES[start : start + 10_000])


def events(*told: tuple[str, dict[str, object]], breaks: bool = False) -> Stream:
    """Sends the events; then ends, or breaks the connection in the middle of one more."""

    async def act(request: web.Request, response: web.StreamResponse) -> None:
        await response.write(b"retry: 10\n\n: hello\n\n")
        for kind, fields in told:
            data = json.dumps({"id": MODEL, "job": "j1", **fields})
            head = f"id: j1/{fields.get('done_bytes', 0)}\nevent: {kind}\n"
            await response.write(f"{head}data: {data}\n\n".encode())
        if breaks:
            await response.write(b"event: progress\ndata: {")
            cut(request)

    return act


async def silence(_: web.Request, response: web.StreamResponse) -> None:
    """Says that it works, and then nothing."""
    await response.write(b": hello\n\n")
    await asyncio.Event().wait()


def cut(request: web.Request) -> None:
    """Break the connection as a process that dies does."""
    assert request.transport
    request.transport.abort()


def progress(done: int) -> tuple[str, dict[str, object]]:
    total = 63_206_169
    fields: dict[str, object] = {"state": "downloading", "phase": "downloading", "attempt": 1}
    fields |= {"done_bytes": done, "total_bytes": total, "percent": 100 * done / total}
    return "progress", fields | {"speed_bytes_s": 8e6, "eta_s": 6.5, "file": "model.onnx"}


COMPLETE: tuple[str, dict[str, object]] = (
    "complete",
    {"state": "installed", "size_bytes": 63_206_169},
)
