"""Wires `sirene up`: lock, port, processes, signals, banner."""

import logging
import signal
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial

import anyio
import anyio.to_thread
import click
import httpx
import msgspec
from anyio.abc import TaskGroup, TaskStatus

from sirene_cli.api_client import model_path, refusal
from sirene_cli.failures import CliError, Interrupted
from sirene_cli.folders import shown
from sirene_cli.up import banner, ports, probes, services
from sirene_cli.up.child import Undertaker
from sirene_cli.up.instance import Instance
from sirene_cli.up.plan import DEFAULT_PORT, Plan
from sirene_cli.up.relay import Relay
from sirene_cli.up.supervisor import Service, Supervisor
from sirene_cli.views import Job
from sirene_shared import logs, web_ui
from sirene_shared.store import Store

log = logging.getLogger(__name__)

# How long a bus that NATS_URL names may take to answer.
BUS_S = 5.0
LOOK_S = 0.2
# The answer to a pull says only that it was queued.
PULL_S = 30.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def start(plan: Plan) -> None:
    """Returns when everything has ended as asked. Raises: CliError."""
    token = services.hub_token(plan.environ)
    logs.configure("sirene", log_format=plan.log_format, secrets=[token])
    services.check_installed(plan.services)
    with ExitStack() as held:
        instance = held.enter_context(Instance(plan.run_folder))
        _make_models_folder(plan)
        port = held.enter_context(ports.reserve(plan.host, plan.port))
        undertaker = held.enter_context(Undertaker(inherits=(instance.lock,)))
        if plan.port is None and port != DEFAULT_PORT:
            log.info("port %d is taken: %d it is", DEFAULT_PORT, port)
        if not ports.is_loopback(plan.host):
            log.warning(
                "whoever reaches %s can install, delete and speak: Sirene asks for no password",
                plan.host,
            )
        relay = Relay(log_format=plan.log_format, secrets=[token])
        run = Run(plan, instance, ports.url(plan.host, port), token)
        anyio.run(run.main, Supervisor(undertaker, relay))


class Run:
    """One `sirene up`, from here to its end."""

    def __init__(self, plan: Plan, instance: Instance, url: str, token: str) -> None:
        self._plan = plan
        self._instance = instance
        self._url = url
        self._token = token

    async def main(self, supervisor: Supervisor) -> None:
        """Raises: CliError."""
        failure: CliError | None = None
        async with anyio.create_task_group() as tasks:
            await tasks.start(_obey_signals, supervisor)
            try:
                await self._supervise(supervisor, partial(self._announce, tasks))
            except CliError as error:
                # Kept, since a task group would wrap it.
                failure = error
            tasks.cancel_scope.cancel()
        if failure:
            raise failure
        if supervisor.is_hurried:
            raise Interrupted("ended at once, as asked twice", code="interrupted")

    async def _supervise(self, supervisor: Supervisor, on_ready: Callable[[], None]) -> None:
        plan = self._plan
        if plan.nats_url is None:
            await supervisor.run([self._nats, self._product], on_ready)
        elif await _bus_answers(plan.nats_url, supervisor):
            await supervisor.run([self._product], on_ready)

    def _nats(self) -> list[Service]:
        return [services.nats(self._plan)]

    def _product(self) -> list[Service]:
        return services.product(
            self._plan, nats_url=self._nats_url, url=self._url, token=self._token
        )

    @property
    def _nats_url(self) -> str:
        return services.bus_url(self._plan)

    def _announce(self, tasks: TaskGroup) -> None:
        """Everything is ready: tell people, and programs."""
        plan = self._plan
        rows = banner.rows(
            plan,
            url=self._url,
            nats_url=self._nats_url,
            has_token=bool(self._token) or _has_stored_token(plan),
            no_ui=_no_ui(plan),
        )
        if plan.log_format == "json":
            for what, where in rows:
                log.info("ready: %s: %s", what, where)
        else:
            with suppress(OSError):
                click.echo(banner.text(rows))
        self._instance.publish("nats-url", self._nats_url)
        if "api" not in plan.services:
            return
        self._instance.publish("url", self._url)
        for model in plan.pulls:
            tasks.start_soon(_pull, self._url, model)
        if plan.opens_browser:
            tasks.start_soon(_open, self._url)


async def _obey_signals(
    supervisor: Supervisor, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    """The first signal stops in order, the next one at once."""
    # `nohup` ignores hangups on purpose.
    obeyed = [number for number in STOP_SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    with anyio.open_signal_receiver(*obeyed) as signals:
        task_status.started()
        async for number in signals:
            if supervisor.is_stopping:
                log.warning("ending everything at once")
                supervisor.kill()
            else:
                log.info("%s: stopping; once more ends everything at once", number.name)
                supervisor.stop()


async def _bus_answers(url: str, supervisor: Supervisor) -> bool:
    """False when the stop comes first. Raises: CliError when the bus stays away."""
    with anyio.move_on_after(BUS_S):
        while not supervisor.is_stopping:
            if await probes.bus_answers(url):
                return True
            await anyio.sleep(LOOK_S)
        return False
    raise CliError(
        f"no NATS server answers at {banner.without_password(url)}",
        hint="Start it, or leave NATS_URL unset to get one of our own.",
        code="bus_unavailable",
    )


async def _pull(url: str, model: str) -> None:
    """Start the pull; the page and `sirene pull` show it."""
    try:
        async with httpx.AsyncClient(base_url=url, timeout=PULL_S, trust_env=False) as client:
            answer = await client.post(model_path(model, "pull"))
        if not answer.is_success:
            failure = refusal(answer)
            log.warning("%s is not pulled: %s. %s", model, failure.message, failure.hint)
            return
        job = msgspec.json.decode(answer.content, type=Job)
    except (httpx.TransportError, msgspec.MsgspecError) as error:
        log.warning("%s is not pulled: %r", model, error)
        return
    log.info("%s: %s", job.id, job.state)


async def _open(url: str) -> None:
    if not await anyio.to_thread.run_sync(webbrowser.open, url, abandon_on_cancel=True):
        log.info("no browser was found to open %s", url)


def _no_ui(plan: Plan) -> web_ui.Missing | None:
    if not plan.has_ui:
        return web_ui.Missing(web_ui.SWITCHED_OFF, can_be_built=False)
    found = web_ui.find()
    return found if isinstance(found, web_ui.Missing) else None


def _has_stored_token(plan: Plan) -> bool:
    """`sirene token set` has been there."""
    return Store(plan.models).hub_token.is_file()


def _make_models_folder(plan: Plan) -> None:
    """Raises: CliError."""
    try:
        plan.models.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(
            f"the models directory {shown(plan.models)} cannot be made: {error.strerror}",
            hint="Choose another one with SIRENE_MODELS_PATH.",
            code="volume_unwritable",
        ) from error
