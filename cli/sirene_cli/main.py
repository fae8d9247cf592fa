"""The command line: `sirene up` and the commands that speak to it over HTTP."""

import errno
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from sirene_cli.commands.imports import import_files
from sirene_cli.commands.memory import load, pin, ps, unload, unpin
from sirene_cli.commands.models import list_models, rm
from sirene_cli.commands.pulls import cancel, pull
from sirene_cli.commands.queue import limits, pause, queue, resume
from sirene_cli.commands.speech import say
from sirene_cli.commands.token import token
from sirene_cli.commands.up import up
from sirene_cli.commands.volume import parts, repair, verify
from sirene_cli.context import Context
from sirene_cli.failures import CliError, Interrupted
from sirene_shared import __version__
from sirene_shared.errors import SireneError

EPILOG = """\b
Exit status:
  0    done
  1    the operation failed
  2    the command was used wrongly
  3    the API cannot be reached
  4    there is no such model, variant, voice or pull
  5    busy or not ready: the same command may work later
  130  interrupted
"""


class Commands(click.Group):
    """Where every failure of a command ends: as a CliError, which is shown without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except CliError as error:
            failure = error
        except SireneError as error:
            failure = CliError(error.message, hint=error.hint, code=error.code)
        except KeyboardInterrupt:
            failure = Interrupted("interrupted", code="interrupted")
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of our output left; click ends quietly
                raise
            failure = CliError(f"{error.filename or 'input or output'}: {error.strerror or error}")
        context = ctx.find_object(Context)
        if context and context.as_json and not failure.is_told:
            click.echo(failure.as_json())
        raise failure


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sirene")
@click.option(
    "--url",
    envvar="SIRENE_URL",
    metavar="URL",
    show_envvar=True,
    help="Where the API is. Default: the `sirene up` of this machine, else http://127.0.0.1:8080.",
)
@click.pass_context
def sirene(click_context: click.Context, url: str | None) -> None:
    """Self-hosted text-to-speech: install a model, watch it arrive, hear it speak."""
    if url and "://" not in url:
        url = f"http://{url}"
    click_context.obj = Context(environ=os.environ, url=url)


for command in (
    *(up, pull, pause, resume, cancel, queue, limits),
    *(verify, repair, parts),
    *(token, import_files),
    *(list_models, ps, say, rm, load, pin, unpin, unload),
):
    sirene.add_command(command)


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    """So that `with` blocks end: no half file stays."""
    sys.exit(128 + signal.SIGTERM)


def main() -> None:
    signal.signal(signal.SIGTERM, _terminate)
    sirene(prog_name="sirene")
