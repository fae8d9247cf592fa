"""Which processes Sirene consists of here, and what each one's environment says."""

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path

from sirene_cli.failures import CliError
from sirene_cli.nats_server import find_server, ports, write_config
from sirene_cli.up import probes
from sirene_cli.up.plan import Plan
from sirene_cli.up.supervisor import Service

# What a service may take to end: the API lets streams finish, the others what they work on.
# Inference lets running speech end: a little longer than INFERENCE_DRAIN.
GRACES_S = {"downloader": 10.0, "inference": 25.0, "api": 5.0}
NATS_GRACE_S = 10.0
TOKEN_NAMES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


def check_installed(names: tuple[str, ...]) -> None:
    """Raises: CliError when a service is not there to be started."""
    for name in names:
        if importlib.util.find_spec(f"sirene_{name}") is None or not _has_main(name):
            raise CliError(
                f"the service {name!r} is not installed",
                hint="Install the whole product: pip install 'sirene[server]'; "
                "or start others alone with --only.",
                code="service_missing",
            )


def _has_main(name: str) -> bool:
    return importlib.util.find_spec(f"sirene_{name}.__main__") is not None


def nats(plan: Plan) -> Service:
    """The embedded server. Raises: NatsServerMissing."""
    config = write_config(plan.nats_folder)
    return Service(
        name="nats",
        argv=(str(find_server()), "-c", str(config)),
        environ=plan.environ,
        is_ready=probes.nats_server(plan.nats_folder),
        grace_s=NATS_GRACE_S,
        is_critical=True,
        log_path=plan.nats_folder / "nats.log",
    )


def bus_url(plan: Plan) -> str:
    """Where the bus is, once it is ready."""
    if plan.nats_url:
        return plan.nats_url
    told = ports(plan.nats_folder)
    assert told is not None
    return told[0]


def product(plan: Plan, *, nats_url: str, url: str, token: str) -> list[Service]:
    """The services of the plan. url: of the API; token: the hub's, or empty."""
    return [_service(name, plan, nats_url, url, token) for name in plan.services]


def _service(name: str, plan: Plan, nats_url: str, url: str, token: str) -> Service:
    others = tuple(other for other in plan.services if other != "api")
    return Service(
        name=name,
        argv=(sys.executable, "-m", f"sirene_{name}"),
        environ=_environ(name, plan, nats_url, url, token),
        is_ready=probes.api(url, others) if name == "api" else probes.on_bus(nats_url, name),
        grace_s=GRACES_S[name],
    )


def _environ(name: str, plan: Plan, nats_url: str, url: str, token: str) -> Mapping[str, str]:
    environ = dict(plan.environ) | {
        "NATS_URL": nats_url,
        "SIRENE_DATA": str(plan.data),
        "SIRENE_MODELS_PATH": str(plan.models),
        "SIRENE_LOG_FORMAT": plan.log_format,
        "PYTHONUNBUFFERED": "1",
    }
    # The token is for whoever asks the hub, and for nobody else.
    for variable in TOKEN_NAMES:
        environ.pop(variable, None)
    if name == "downloader" and token:
        environ["HF_TOKEN"] = token
    elif name == "api":
        environ["SIRENE_HOST"] = plan.host
        environ["SIRENE_PORT"] = url.rpartition(":")[2]
        if not plan.has_ui:
            environ["SIRENE_UI"] = "0"
    elif name == "inference":
        environ["HF_HUB_OFFLINE"] = "1"
        environ.setdefault("INFERENCE_CACHE_PATH", str(plan.data / "cache"))
    return environ


def hub_token(environ: Mapping[str, str]) -> str:
    """The hub's token as its own tools find it: HF_TOKEN, HF_TOKEN_PATH, $HF_HOME/token."""
    for variable in TOKEN_NAMES:
        if token := environ.get(variable, "").strip():
            return token
    home = environ.get("HF_HOME") or "~/.cache/huggingface"
    path = Path(environ.get("HF_TOKEN_PATH") or f"{home}/token").expanduser()
    try:
        return path.read_text().strip()
    except (OSError, ValueError):
        return ""
