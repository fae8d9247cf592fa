import os

from aiohttp import web
from nats.aio.client import Client
from stand_in import main, note

from sirene_shared.presence import present


async def serve_http(nc: Client) -> None:
    async def ready(_: web.Request) -> web.Response:
        checks = {"bus": {"ok": nc.is_connected}}
        for name in ("downloader", "inference"):
            checks[name] = {"ok": bool(await present(nc, f"sirene-{name}"))}
        return web.json_response({"status": "ready", "checks": checks})

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"models": []})

    async def pull(request: web.Request) -> web.Response:
        note(f"pull {request.match_info['model']}")
        return web.json_response({"id": "piper:low", "job": "j1", "state": "queued"}, status=202)

    app = web.Application()
    app.router.add_get("/api/health/ready", ready)
    app.router.add_get("/api/models", models)
    app.router.add_post("/api/models/{model}/pull", pull)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, os.environ["SIRENE_HOST"], int(os.environ["SIRENE_PORT"])).start()


main("api", serve_http)
