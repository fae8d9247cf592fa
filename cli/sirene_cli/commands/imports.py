"""`sirene import`: a model from files that are here, for machines without the internet."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import click

from sirene_cli import output
from sirene_cli.api_client import ApiClient, model_path
from sirene_cli.brought_files import BroughtFile, gather
from sirene_cli.context import MODEL, Context, json_option, pass_context
from sirene_cli.failures import CliError, NotFound, WrongUse
from sirene_cli.text import size
from sirene_cli.views import FittingModel, Identified, Imported


@click.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, readable=True, path_type=Path)
)
@click.option("--model", type=MODEL, help="Whose files they are, where that cannot be told.")
@json_option
@pass_context
def import_files(context: Context, files: tuple[Path, ...], model: str | None) -> None:
    """Install a model from FILES: its files, a folder of them, or a tar of one.

    Which model that is, their names and lengths tell. They are verified like those of a pull.
    """
    with ExitStack() as held, context.api() as api:
        brought = gather(files, held)
        chosen = _identify(api, brought, model)
        by_name = {file.name: file for file in brought}
        for fitting in chosen.files:
            file = by_name[fitting.name]
            path = model_path(chosen.id, "files", quote(fitting.path))
            api.upload(path, file.chunks(), file.size_bytes)
            if not context.as_json:
                output.note(f"{fitting.name}: {size(file.size_bytes)} sent as {fitting.path}")
        answer = api.fetch("POST", model_path(chosen.id, "import"))
        told = api.decode(answer, Imported)
    if context.as_json:
        click.echo(answer.decode())
        return
    if told.unverified:
        output.note(f"nobody tells a hash of {', '.join(told.unverified)}: taken as they are")
    output.note(f"{told.id} is installed: {size(told.size_bytes)}")


def _identify(api: ApiClient, brought: Sequence[BroughtFile], model: str | None) -> FittingModel:
    """The one model that they are the files of. Raises: CliError."""
    told = _ask(api, brought, model, with_hashes=False)
    if not told.models:
        told = _ask(api, brought, model, with_hashes=True)
    if not told.models:
        whose = f"of {model}" if model else "of a model in the catalogue"
        raise NotFound(f"these are not files {whose}", hint=told.hint, code="model_not_found")
    best = told.models[0]
    rivals = [each.id for each in told.models if each.rank == best.rank]
    if len(rivals) > 1:
        names = ", ".join(rivals[:5])
        raise WrongUse("they may be files of several models", hint=f"Name one: --model {names}")
    if not best.is_complete:
        raise CliError(
            f"{best.id} has more files: {', '.join(best.missing)}",
            hint="Bring all of them at once.",
            code="files_refused",
        )
    return best


def _ask(
    api: ApiClient, brought: Sequence[BroughtFile], model: str | None, *, with_hashes: bool
) -> Identified:
    files = [
        {"name": file.name, "size_bytes": file.size_bytes}
        | ({"sha256": file.sha256()} if with_hashes else {})
        for file in brought
    ]
    body: dict[str, object] = {"files": files, "model": model}
    return api.ask(Identified, "POST", "/api/models/identify", body=body)
