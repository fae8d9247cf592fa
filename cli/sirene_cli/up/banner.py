"""What `sirene up` prints when everything is ready."""

from urllib.parse import urlsplit, urlunsplit

from sirene_cli.folders import shown
from sirene_cli.up.plan import Plan
from sirene_shared import __version__
from sirene_shared.subjects import PROGRESS
from sirene_shared.web_ui import BUILD_COMMAND, Missing


def rows(
    plan: Plan, *, url: str, nats_url: str, has_token: bool, no_ui: Missing | None = None
) -> list[tuple[str, str]]:
    """(what, where), as far as it was started. no_ui: why the page is a plain one."""
    bus = without_password(nats_url)
    found = []
    if "api" in plan.services:
        how = f"; build it: {BUILD_COMMAND}" if no_ui and no_ui.can_be_built else ""
        found += [
            ("Page", url),
            *([("Web UI", f"none: {no_ui.reason}{how}")] if no_ui else []),
            ("API", f"{url}/api/models"),
            ("API docs", f"{url}/schema"),
            ("OpenAI base", f"{url}/v1"),
        ]
    token = "yes" if has_token else "no (only gated models need one: sirene token set)"
    return [
        *found,
        ("NATS", bus),
        ("Watch pulls", f"nats --server {bus} sub '{PROGRESS.all}'"),
        ("Data", shown(plan.data)),
        ("Models", shown(plan.models)),
        ("HF token", token),
    ]


def text(lines: list[tuple[str, str]]) -> str:
    body = "\n".join(f"  {what:13}{where}" for what, where in lines)
    return f"\n  Sirene {__version__} is ready. Ctrl-C stops it.\n\n{body}\n"


def without_password(url: str) -> str:
    """`url`, or several with commas, with what proves an identity masked."""
    masked = []
    for one in url.split(","):
        parts = urlsplit(one.strip())
        host = parts.netloc.rpartition("@")[2]
        netloc = f"***@{host}" if "@" in parts.netloc else host
        masked.append(urlunsplit(parts._replace(netloc=netloc)))
    return ",".join(masked)
