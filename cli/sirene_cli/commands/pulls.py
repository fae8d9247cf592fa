"""`sirene pull` and `sirene cancel`."""

from collections.abc import Iterator

import click

from sirene_cli import output
from sirene_cli.api_client import ApiClient, model_path
from sirene_cli.commands.queue import change
from sirene_cli.context import MODEL, Context, json_option, pass_context
from sirene_cli.failures import ErrorBody, Interrupted, told_by_api
from sirene_cli.progress_bar import ProgressView, progress_view
from sirene_cli.pull_stream import PullStream, Told
from sirene_cli.text import size
from sirene_cli.views import Preflight
from sirene_shared.messages import InstallState


@click.command()
@click.argument("model", type=MODEL)
@click.option("--variant", metavar="V", help="The variant, when MODEL is a name alone.")
@click.option("--dry-run", is_flag=True, help="Begin nothing; tell what the pull would meet.")
@json_option
@pass_context
def pull(context: Context, model: str, variant: str | None, dry_run: bool) -> None:
    """Install MODEL and watch it arrive.

    A pull that runs already is joined, and one that is paused goes on. Ctrl-C stops the watching
    alone. With --json each event is one line.
    """
    if dry_run:
        _preflight(context, model, variant)
    else:
        watch(context, model, variant, done="installed")


def watch(context: Context, model: str, variant: str | None, *, done: str, job: str = "") -> None:
    """Follow a pull to its end. job: one that runs already. Raises: CliError when it fails."""
    shown = f"{model.partition(':')[0]}:{variant}" if variant else model
    try:
        with context.api() as api:
            end = (
                _follow_as_json(api, model, variant, job)
                if context.as_json
                else _follow(api, model, variant, job, progress_view(shown))
            )
    except KeyboardInterrupt:
        raise Interrupted(
            f"the pull of {shown} goes on without you",
            hint=f"Watch it again: sirene pull {shown}. End it: sirene cancel {shown}.",
            code="interrupted",
        ) from None
    if end.kind == "error":
        failure = told_by_api(end.event.error or ErrorBody(message="the pull failed"))
        failure.is_told = context.as_json
        raise failure
    if not context.as_json:
        output.note(f"{end.event.id} is {done} ({size(end.event.size_bytes)})")


def _follow(api: ApiClient, model: str, variant: str | None, job: str, view: ProgressView) -> Told:
    """The terminal event, after showing all before it."""
    with view:
        stream = PullStream(api, model, variant, job=job, on_break=view.show_break)
        for told in _resumed(api, stream):
            if told.kind == "progress":
                view.show(told.event)
    return told


def _resumed(api: ApiClient, stream: PullStream) -> Iterator[Told]:
    """The events; a pull that is found paused is resumed: it was asked for just now."""
    for number, told in enumerate(stream.events()):
        if number == 0 and told.event.state == InstallState.PAUSED:
            api.fetch("POST", model_path(told.event.id, "resume"))
        yield told


def _follow_as_json(api: ApiClient, model: str, variant: str | None, job: str) -> Told:
    """The terminal event, after printing all."""
    for told in _resumed(api, PullStream(api, model, variant, job=job)):
        fields = api.decode(told.raw, dict[str, object])
        output.as_json({"event": told.kind, **fields})
    return told


def _preflight(context: Context, model: str, variant: str | None) -> None:
    """Raises: CliError when the pull would fail now."""
    query = {"dry_run": "true"} | ({"variant": variant} if variant else {})
    with context.api() as api:
        answer = api.fetch("POST", model_path(model, "pull"), query=query)
        told = api.decode(answer, Preflight)
    if context.as_json:
        click.echo(answer.decode())
    else:
        memory = {None: "unknown", True: "yes", False: "no"}[told.fits_memory]
        rows = (
            ("to fetch", f"{size(told.missing_bytes)} of {size(told.total_bytes)}"),
            ("free", size(told.free_bytes)),
            ("licence", told.license or "-"),
            ("gated", "yes" if told.gated else "no"),
            ("token", told.token.replace("_", " ")),
            ("memory", f"{size(told.memory_bytes)}, fits: {memory}"),
        )
        output.table((told.id, ""), rows)
    if told.error:
        failure = told_by_api(told.error)
        failure.is_told = context.as_json
        raise failure


@click.command()
@click.argument("model", type=MODEL, required=False)
@click.option("--all", "is_all", is_flag=True, help="Every pull.")
@click.option("--keep", is_flag=True, help="Keep the bytes that came, for a later pull.")
@json_option
@pass_context
def cancel(context: Context, model: str | None, is_all: bool, keep: bool) -> None:
    """End the pull of MODEL, whether it runs, waits or is paused."""
    query = {"keep": "true"} if keep else None
    change(context, "cancel", model, is_all, query, done="is cancelled")
