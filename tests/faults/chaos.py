"""Pulls and deletes through the API while chance kills the services, and a supervisor that starts
them again at once.
"""

import asyncio
import random
import signal
import socket
from collections import Counter
from contextlib import suppress

import httpx
import nats.errors

from sirene_shared.messages import InstallState
from sirene_shared.names import ModelRef
from sirene_shared.subjects import LEASES
from tests.faults.invariants import Files, Violated
from tests.faults.rig import FaultRig
from tests.faults.worker import API, Worker
from tests.integration.downloader.rig import ENDED
from tests.support.nats import NatsServer
from tests.support.waiting import until

SERVICES = ("downloader", "api", "nats-server")
MIB = 1 << 20
# Between two kills come so many bytes at most; every tenth falls into the start after the last.
APART_BYTES = 12 * MIB
AT_ONCE = 0.1
# Longer than a stall, a lease and a redelivery together.
STANDSTILL_S = 60.0
AGAIN_S = 0.05
ANSWER_S = 40.0


class Chaos:
    """start(), kill() as often as wished, finish(); then what was counted is checked."""

    def __init__(
        self, rig: FaultRig, server: NatsServer, models: dict[ModelRef, Files], seed: int
    ) -> None:
        self._rig = rig
        self._server = server
        self._models = models
        self._random = random.Random(seed)
        self._port = _free_port()
        self._workers: dict[str, Worker] = {}
        self._lives: list[asyncio.Task[None]] = []
        self._is_over = False
        self.kills = Counter[str]()
        self.installs = Counter[ModelRef]()
        self.failures: list[dict[str, object]] = []

    @property
    def file_bytes(self) -> int:
        """Of all models that were installed, each as often as it was."""
        return sum(
            times * sum(len(content) for content in self._models[ref].values())
            for ref, times in self.installs.items()
        )

    @property
    def sent_bytes(self) -> int:
        return self._rig.hub.sent_bytes.total()

    async def start(self) -> None:
        for service in ("downloader", "api"):
            self._run(service)
        self._lives = [asyncio.create_task(self._live(ref)) for ref in self._models]

    async def kill(self) -> None:
        """One of the services, at a moment of chance; it runs again when this returns."""
        apart = 0 if self._random.random() < AT_ONCE else self._random.randrange(APART_BYTES)
        service = self._random.choice(SERVICES)
        moment = self.sent_bytes + apart
        await until(lambda: self.sent_bytes >= moment or self._has_failed, within_s=STANDSTILL_S)
        for life in self._lives:
            if life.done():
                life.result()
        self.kills[service] += 1
        if service == "nats-server":
            await asyncio.to_thread(self._server.kill)
            await asyncio.to_thread(self._server.start)
            return
        await self._workers.pop(service).end(signal.SIGKILL)
        if service == "downloader":
            await self._leases_run_out()
        self._run(service)

    async def finish(self) -> None:
        """Every model comes to its last install, and the services end in order."""
        self._is_over = True
        async with asyncio.timeout(2 * STANDSTILL_S):
            await asyncio.gather(*self._lives)
            while not await self._is_answered():
                await asyncio.sleep(AGAIN_S)
        for service, worker in self._workers.items():
            assert await worker.end() == 0, (service, self._rig.log[-4000:])

    async def abandon(self) -> None:
        """For the end of a failed test."""
        for life in self._lives:
            life.cancel()
        for worker in self._workers.values():
            if worker.is_alive:
                await worker.end(signal.SIGKILL)

    @property
    def _has_failed(self) -> bool:
        return any(life.done() for life in self._lives)

    def _run(self, service: str) -> None:
        if service == "api":
            worker = self._rig.worker(module=API, SIRENE_PORT=str(self._port))
        else:
            worker = self._rig.worker(SIRENE_PULLS=str(len(self._models)))
        worker.go()
        self._workers[service] = worker

    async def _live(self, ref: ModelRef) -> None:
        """Installed and deleted again and again; installed in the end."""
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self._port}", timeout=ANSWER_S, trust_env=False
        ) as http:
            while True:
                job = str((await self._ask(http, "POST", f"/api/models/{ref.id}/pull"))["job"])
                end = await self._end_of(http, ref, job)
                if end["state"] != InstallState.INSTALLED:
                    self.failures.append(end)
                    continue
                self.installs[ref] += 1
                if self._is_over:
                    return
                await self._ask(http, "DELETE", f"/api/models/{ref.id}")

    async def _ask(self, http: httpx.AsyncClient, method: str, path: str) -> dict[str, object]:
        """The answer, asked for until there is one, as any client of a service that restarts."""
        async with asyncio.timeout(STANDSTILL_S):
            while True:
                with suppress(httpx.TransportError):
                    answer = await http.request(method, path)
                    # Not there: it is deleted already, by an order whose answer was lost.
                    is_gone = (method, answer.status_code) == ("DELETE", httpx.codes.NOT_FOUND)
                    if answer.is_success or is_gone:
                        return dict(answer.json())
                    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
                await asyncio.sleep(AGAIN_S)

    async def _end_of(self, http: httpx.AsyncClient, ref: ModelRef, job: str) -> dict[str, object]:
        """I3: the job comes to an end, and the API tells it."""
        seen: dict[str, object] = {}
        try:
            async with asyncio.timeout(2 * STANDSTILL_S):
                while seen.get("job") != job or seen["state"] not in ENDED:
                    await asyncio.sleep(AGAIN_S)
                    seen = await self._ask(http, "GET", f"/api/models/{ref.id}")
        except TimeoutError:
            raise Violated(f"I3: {job} is lost: {seen}; {await self._rig.status(ref)}") from None
        return seen

    async def _is_answered(self) -> bool:
        with suppress(nats.errors.Error, OSError):
            return await self._rig.is_answered()
        return False

    async def _leases_run_out(self) -> None:
        """What ten seconds would bring after the only downloader's death."""
        async with asyncio.timeout(STANDSTILL_S):
            while True:
                with suppress(nats.errors.Error, OSError):
                    await self._rig.js.purge_stream(f"KV_{LEASES.name}")
                    return
                await asyncio.sleep(AGAIN_S)


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
