"""Sirene's transfer alone, for bench.pull: URL REPO HUB-FOLDER OUT; verified and fsynced.

Prints its seconds and its CPU seconds: in the service the interpreter runs already.
"""

import asyncio
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nats.aio.client import Client

from sirene_downloader.draft import Draft
from sirene_downloader.hub_token import HubToken
from sirene_downloader.lease import Lease
from sirene_downloader.limits import CurrentLimits
from sirene_downloader.remote import Digest, RemoteFile
from sirene_downloader.report import Report
from sirene_downloader.settings import Limits, Settings
from sirene_downloader.statements import Statements
from sirene_downloader.states import States
from sirene_downloader.transfer.model import ModelTransfer
from sirene_downloader.transfer.throttle import Throttle
from sirene_downloader.transfer.wire import Wire
from sirene_shared.messages import PullCommand


async def main(url: str, repo: str, root: Path, out: Path) -> None:
    known = json.loads((root / f"{repo}.hashes").read_text())
    files = tuple(
        RemoteFile(
            path=path,
            url=f"{url}/acme/{repo}/resolve/main/{path}",
            size=size,
            digests=(Digest("sha256", sha256),),
        )
        for path, (size, sha256) in known.items()
    )
    # Never connected: what a report says goes nowhere.
    nc = Client()
    js = nc.jetstream()
    command = PullCommand(model="measured", variant=repo, job="bench")
    statements = Statements(States(js), Lease(js, command.ref, "bench"), 0)
    report = Report(nc, statements, command, seq=0, attempt=1)
    draft = Draft(out)
    draft.open()
    draft.prepare(files)
    settings, limits, throttle = Settings(hf_endpoint=url), Limits(), Throttle()
    CurrentLimits(settings.limits()).hold(throttle)
    wire = Wire(
        endpoint=url,
        token=HubToken(out / "token"),
        limits=limits,
        throttle=throttle,
        policy=settings.policy([]),
        proxies=settings.proxies,
    )
    began, cpu_began = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(2) as executor:
        await ModelTransfer(wire, executor, draft, files, report, limits=limits).run()
    print(time.monotonic() - began, time.process_time() - cpu_began)
    wire.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))
