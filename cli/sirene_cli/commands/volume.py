"""`sirene verify`, `sirene repair` and `sirene parts`: the files on the volume."""

import click

from sirene_cli import output
from sirene_cli.api_client import model_path
from sirene_cli.commands.pulls import watch
from sirene_cli.context import MODEL, Context, json_option, pass_context
from sirene_cli.failures import CliError
from sirene_cli.text import plain, size
from sirene_cli.views import Job, Parts, Verification


@click.command()
@click.argument("model", type=MODEL)
@json_option
@pass_context
def verify(context: Context, model: str) -> None:
    """Hash every file of MODEL; nothing is changed.

    Exits with 1 when a file is not what was installed.
    """
    with context.api() as api:
        answer = api.fetch("POST", model_path(model, "verify"))
        told = api.decode(answer, Verification)
    bad = [file for file in told.files if file.state != "ok"]
    if context.as_json:
        click.echo(answer.decode())
    else:
        columns = ("FILE", "STATE", "SIZE")
        output.table(
            columns, ((file.path, file.state, size(file.size_bytes)) for file in told.files)
        )
    if not told.ok:
        failure = CliError(
            f"{len(bad)} of {len(told.files)} files of {told.id} are not what was installed",
            hint=f"Fetch them again: sirene repair {told.id}",
            code="model_damaged",
        )
        failure.is_told = context.as_json
        raise failure
    if not context.as_json:
        output.note(f"{told.id} is whole: {len(told.files)} files, {size(told.checked_bytes)}")


@click.command()
@click.argument("model", type=MODEL)
@json_option
@pass_context
def repair(context: Context, model: str) -> None:
    """Hash every file of MODEL and fetch only the bad ones.

    Speech that runs goes on with the files it has.
    """
    with context.api() as api:
        job = api.ask(Job, "POST", model_path(model, "repair"))
    watch(context, job.id, None, done="whole", job=job.job)


@click.command()
@click.option("--delete", is_flag=True, help="Remove what no pull uses or waits for.")
@click.option("--model", type=MODEL, help="Of this model alone.")
@json_option
@pass_context
def parts(context: Context, delete: bool, model: str | None) -> None:
    """List what is left of pulls that did not end with an install."""
    with context.api() as api:
        answer = api.fetch(
            "DELETE" if delete else "GET",
            "/api/downloads/parts",
            query={"model": model} if model else None,
        )
        told = api.decode(answer, Parts)
    if context.as_json:
        click.echo(answer.decode())
        return
    if told.parts:
        rows = (
            (part.id, size(part.size_bytes), _use(part.in_use, part.is_orphan), plain(part.writer))
            for part in told.parts
        )
        output.table(("MODEL", "SIZE", "STATE", "WRITER"), rows)
    removed = "removed" if delete else "there"
    output.note(f"{len(told.parts)} {removed}, {size(told.total_bytes)}")


def _use(in_use: bool, is_orphan: bool) -> str:
    if in_use:
        return "in use"
    return "orphan" if is_orphan else "kept"
