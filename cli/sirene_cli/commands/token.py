"""`sirene token`: the token for the hub, which is given and never shown."""

import getpass
import sys

import click

from sirene_cli import output
from sirene_cli.context import Context, json_option, pass_context
from sirene_cli.failures import CliError, WrongUse
from sirene_cli.views import TokenAnswer, TokenCleared

ROUTE = "/api/settings/hub-token"


@click.group()
def token() -> None:
    """Give the downloaders a token for the hub, for models that want one."""


@token.command("set")
@json_option
@pass_context
def set_token(context: Context) -> None:
    """Read a token from standard input, or ask for it, and use it from now on.

    It counts before HF_TOKEN, and is kept on the models' volume. One that the hub refuses is not
    kept.
    """
    given = _read()
    with context.api() as api:
        answer = api.fetch("PUT", ROUTE, body={"token": given})
        told = api.decode(answer, TokenAnswer)
    if context.as_json:
        click.echo(answer.decode())
    if not told.kept:
        failure = CliError(
            "the hub refuses this token",
            hint="Make a new one at the hub. Nothing was changed.",
            code="hub_token_refused",
        )
        failure.is_told = context.as_json
        raise failure
    if not context.as_json:
        said = "the hub accepts it" if told.verdict == "accepted" else "the hub could not be asked"
        output.note(f"the token is used from now on: {said}")


@token.command()
@json_option
@pass_context
def clear(context: Context) -> None:
    """Forget the token that was set; HF_TOKEN, if there is one, counts again."""
    with context.api() as api:
        answer = api.fetch("DELETE", ROUTE)
        told = api.decode(answer, TokenCleared)
    if context.as_json:
        click.echo(answer.decode())
        return
    now = "that of the environment is used" if told.source == "environment" else "there is none"
    output.note(f"the token is forgotten: {now}")


def _read() -> str:
    """Never as an argument, which others see in the list of processes. Raises: WrongUse."""
    try:
        given = getpass.getpass("Token: ") if sys.stdin.isatty() else sys.stdin.readline()
    except EOFError:
        given = ""
    given = given.strip()
    if not given:
        raise WrongUse("no token was given", hint="Pipe it in, or type it when asked.")
    return given
