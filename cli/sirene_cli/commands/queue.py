"""`sirene queue`, `pause`, `resume` and `limits`: all downloads together."""

import click

from sirene_cli import output
from sirene_cli.api_client import Body, model_path
from sirene_cli.context import MODEL, Context, json_option, pass_context
from sirene_cli.text import duration, size
from sirene_cli.views import Download, Downloads, Job, Jobs, PullLimits
from sirene_shared.settings import parse_bytes

FROM_ENVIRONMENT = "default"


@click.command()
@click.option("--first", type=MODEL, metavar="MODEL", help="Make this pull the next to begin.")
@json_option
@pass_context
def queue(context: Context, first: str | None) -> None:
    """List the pulls that are not finished: running, queued in their order, and paused."""
    with context.api() as api:
        answer = (
            api.fetch("POST", model_path(first, "first"))
            if first
            else api.fetch("GET", "/api/downloads")
        )
        downloads = api.decode(answer, Downloads)
    if context.as_json:
        click.echo(answer.decode())
        return
    pulls = (*downloads.running, *downloads.queued, *downloads.paused)
    if pulls:
        output.table(("MODEL", "STATE", "DONE", "SPEED", "LEFT"), map(_row, pulls))
    else:
        output.note("Nothing is being pulled.")


def _row(pull: Download) -> tuple[str, ...]:
    transfer = pull.transfer
    waits = f"{pull.state}: {pull.reason}" if pull.reason not in ("", pull.state) else pull.state
    if transfer is None:
        return pull.id, waits, "-", "-", "-"
    done = f"{size(transfer.done_bytes)} of {size(transfer.total_bytes)}"
    speed = f"{size(transfer.speed_bytes_s)}/s" if transfer.speed_bytes_s else "-"
    return pull.id, waits, done, speed, duration(transfer.eta_s)


def change(
    context: Context,
    action: str,
    model: str | None,
    is_all: bool,
    query: dict[str, str] | None,
    *,
    done: str,
) -> None:
    """Do `action` to one pull or to all, and say `done` of each."""
    if (model is None) != is_all:
        raise click.UsageError("Name a model, or say --all.")
    with context.api() as api:
        if model is None:
            answer = api.fetch("POST", f"/api/downloads/{action}", query=query)
            jobs = api.decode(answer, Jobs).pulls
        else:
            answer = api.fetch("POST", model_path(model, action), query=query)
            jobs = (api.decode(answer, Job),)
    if context.as_json:
        click.echo(answer.decode())
        return
    for job in jobs:
        click.echo(f"the pull of {job.id} {done}")
    if not jobs:
        output.note("Nothing is being pulled.")


@click.command()
@click.argument("model", type=MODEL, required=False)
@click.option("--all", "is_all", is_flag=True, help="Every pull.")
@json_option
@pass_context
def pause(context: Context, model: str | None, is_all: bool) -> None:
    """Stop the pull of MODEL, and keep what came."""
    change(context, "pause", model, is_all, None, done="is paused")


@click.command()
@click.argument("model", type=MODEL, required=False)
@click.option("--all", "is_all", is_flag=True, help="Every pull.")
@click.option("--now", is_flag=True, help="Also outside the hours in which pulls run.")
@json_option
@pass_context
def resume(context: Context, model: str | None, is_all: bool, now: bool) -> None:
    """Go on with the paused pull of MODEL where it stopped."""
    query = {"now": "true"} if now else None
    change(context, "resume", model, is_all, query, done="goes on")


@click.command()
@click.option("--rate", metavar="BYTES", help="A second, all pulls: 5MB; 0: no limit.")
@click.option("--pulls", metavar="N", help="How many models at a time.")
@click.option("--connections", metavar="N", help="To one host.")
@json_option
@pass_context
def limits(context: Context, rate: str | None, pulls: str | None, connections: str | None) -> None:
    """Show or change what each downloader may use; `default` is what its environment says."""
    asked = (("max_rate", rate), ("pulls", pulls), ("connections", connections))
    body: Body = {name: _number(name, text) for name, text in asked if text is not None}
    with context.api() as api:
        answer = api.fetch("PATCH" if body else "GET", "/api/downloads/limits", body=body or None)
        now = api.decode(answer, PullLimits)
    if context.as_json:
        click.echo(answer.decode())
        return
    rate_now = "no limit" if now.max_rate == 0 else f"{size(now.max_rate)}/s"
    for name, shown in (
        ("rate", FROM_ENVIRONMENT if now.max_rate is None else rate_now),
        ("pulls", str(now.pulls or FROM_ENVIRONMENT)),
        ("connections", str(now.connections or FROM_ENVIRONMENT)),
    ):
        click.echo(f"{name:12} {shown}")


def _number(name: str, text: str) -> int | None:
    """None: the environment's. Raises: BadParameter."""
    if text == FROM_ENVIRONMENT:
        return None
    try:
        return parse_bytes(text) if name == "max_rate" else int(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no number for {name}.") from None
