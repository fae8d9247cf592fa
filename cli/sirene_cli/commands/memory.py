"""`sirene ps`, `load`, `pin`, `unpin` and `unload`: the models in memory."""

import time

import click

from sirene_cli import output
from sirene_cli.api_client import ApiClient, model_path
from sirene_cli.context import MODEL, Context, json_option, pass_context
from sirene_cli.failures import CliError, told_by_api
from sirene_cli.text import size
from sirene_cli.views import Loaded, LoadedModels, Pinned, Unloaded

# Each request already waits as long as the API lets it; this is between two.
ASK_AGAIN_S = 1.0
PIN_WAIT_S = 300.0


@click.command()
@json_option
@pass_context
def ps(context: Context) -> None:
    """List the models in memory: where, how large, how idle."""
    with context.api() as api:
        answer = api.fetch("GET", "/api/models/loaded")
        models = api.decode(answer, LoadedModels).models
    if context.as_json:
        click.echo(answer.decode())
    elif models:
        output.loaded_table(models)
    else:
        output.note("No model is loaded. One loads when it first speaks.")


@click.command()
@click.argument("model", type=MODEL)
@click.option(
    "--timeout", "timeout_s", default=300.0, show_default=True, metavar="S", help="Wait so long."
)
@click.option("--keep-alive", metavar="TIME", help="It stays idle so long: 90, 5m; -1: always.")
@click.option("--pin", "is_pinned", is_flag=True, help="It stays, whoever else needs room.")
@json_option
@pass_context
def load(
    context: Context, model: str, timeout_s: float, keep_alive: str | None, is_pinned: bool
) -> None:
    """Bring MODEL into memory ahead of its first use."""
    query = {"keep_alive": keep_alive} if keep_alive is not None else {}
    if is_pinned:
        query["pin"] = "true"
    with context.api() as api:
        answer = _loaded(api, model_path(model, "load"), query, time.monotonic() + timeout_s)
        loaded = api.decode(answer, Loaded)
    if context.as_json:
        click.echo(answer.decode())
    else:
        click.echo(
            f"{loaded.id} is loaded on {loaded.device}: {size(loaded.memory_bytes)}, "
            f"in {loaded.load_s:.1f} s"
        )


def _loaded(api: ApiClient, path: str, query: dict[str, str], deadline: float) -> bytes:
    """The API answers `model_loading` when a load outlasts one request: asked again until then."""
    while True:
        try:
            return api.fetch("POST", path, query=query)
        except CliError as error:
            if error.code != "model_loading" or time.monotonic() > deadline:
                raise
        time.sleep(ASK_AGAIN_S)


@click.command()
@click.argument("model", type=MODEL)
@json_option
@pass_context
def pin(context: Context, model: str) -> None:
    """Keep MODEL in memory, loaded if it is not, until it is unpinned or unloaded."""
    with context.api() as api:
        answer = _loaded(api, model_path(model, "pin"), {}, time.monotonic() + PIN_WAIT_S)
        pinned = api.decode(answer, Pinned)
    if context.as_json:
        click.echo(answer.decode())
    else:
        click.echo(f"{pinned.id} is pinned on {', '.join(pinned.replicas)}")


@click.command()
@click.argument("model", type=MODEL)
@json_option
@pass_context
def unpin(context: Context, model: str) -> None:
    """Let MODEL leave the memory again when it is idle, or when others need room."""
    with context.api() as api:
        answer = api.fetch("POST", model_path(model, "unpin"))
        unpinned = api.decode(answer, Pinned)
    if context.as_json:
        click.echo(answer.decode())
    elif unpinned.replicas:
        click.echo(f"{unpinned.id} may leave again on {', '.join(unpinned.replicas)}")
    else:
        output.note("It is not loaded.")


@click.command()
@click.argument("model", type=MODEL, required=False)
@click.option("--all", "is_all", is_flag=True, help="Every model.")
@click.option("--force", "is_forced", is_flag=True, help="Cut running speech off.")
@json_option
@pass_context
def unload(context: Context, model: str | None, is_all: bool, is_forced: bool) -> None:
    """Free the memory of MODEL, or of all, once their speech has ended."""
    if (model is None) != is_all:
        raise click.UsageError("Name a model, or say --all.")
    with context.api() as api:
        body: dict[str, object] = {"all": True} if model is None else {"model": model}
        if is_forced:
            body["force"] = True
        answer = api.fetch("POST", "/models/unload", body=body)
        result = api.decode(answer, Unloaded)
    if context.as_json:
        click.echo(answer.decode())
    elif not result.unloaded and not result.errors:
        output.note("Nothing was loaded.")
    else:
        for freed in result.unloaded:
            click.echo(f"{freed.id} is unloaded, {size(freed.freed_bytes)} are free again")
    for failed in result.errors[1:]:
        told_by_api(failed.error).show()
    if result.errors:
        raise told_by_api(result.errors[0].error)
