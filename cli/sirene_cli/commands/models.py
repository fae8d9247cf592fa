"""`sirene list` and `sirene rm`: the models of the catalogue and on the volume."""

import sys

import click

from sirene_cli import output
from sirene_cli.api_client import model_path
from sirene_cli.context import MODEL, Context, json_option, pass_context
from sirene_cli.failures import WrongUse
from sirene_cli.text import plain, size
from sirene_cli.views import Deleted, Models, ModelView


@click.command(name="list")
@click.option("--all", "scope", flag_value="all", help="The whole catalogue.")
@click.option("--installed", "scope", flag_value="installed", help="What can speak now, only.")
@json_option
@pass_context
def list_models(context: Context, scope: str | None) -> None:
    """List the models that are installed or on their way."""
    query = {"installed": "true"} if scope == "installed" else None
    with context.api() as api:
        answer = api.fetch("GET", "/api/models", query=query)
        models = api.decode(answer, Models).models
        rows = api.decode(answer, dict[str, list[dict[str, object]]])["models"]
    wanted = [scope is not None or model.state != "absent" for model in models]
    if context.as_json:
        output.as_json({"models": [row for row, keep in zip(rows, wanted, strict=True) if keep]})
        return
    chosen = [model for model, keep in zip(models, wanted, strict=True) if keep]
    if chosen:
        output.models_table(chosen)
    else:
        output.note("No model is installed. See them all: sirene list --all")


@click.command()
@click.argument("model", type=MODEL)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
@pass_context
def rm(context: Context, model: str, yes: bool) -> None:
    """Delete MODEL from the volume; speech that runs is waited for."""
    with context.api() as api:
        view = api.ask(ModelView, "GET", model_path(model))
        if not yes:
            _ask(view)
        answer = api.fetch("DELETE", model_path(view.id))
        deleted = api.decode(answer, Deleted)
    if context.as_json:
        click.echo(answer.decode())
    else:
        click.echo(f"{deleted.id} is deleted, {size(deleted.freed_bytes)} are free again")


def _ask(view: ModelView) -> None:
    """Raises: WrongUse when nobody can be asked; Abort when the answer is no."""
    if not sys.stdin.isatty():
        raise WrongUse(
            "nobody can be asked here whether to delete",
            hint=f"Say so: sirene rm {view.id} --yes",
            code="confirmation_needed",
        )
    click.confirm(f"Delete {plain(view.id)} ({size(view.installed_bytes)})?", abort=True, err=True)
