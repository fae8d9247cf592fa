"""What every command is given: which API to speak to, and how to print."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import click

from sirene_cli import folders
from sirene_cli.api_client import ApiClient

DEFAULT_URL = "http://127.0.0.1:8080"
Command = TypeVar("Command", bound=Callable[..., object])


@dataclass
class Context:
    environ: Mapping[str, str]
    url: str | None = None
    as_json: bool = False

    def api(self) -> ApiClient:
        return ApiClient(self.url or self._running_here() or DEFAULT_URL)

    def _running_here(self) -> str | None:
        """The address of the `sirene up` that runs on this machine's data directory."""
        run = folders.default_data(self.environ) / "run"
        if not (run / "url").is_file():
            return None
        # Only now: what it imports exists on Unix alone.
        from sirene_cli.up.instance import running_url

        return running_url(run)


pass_context = click.make_pass_decorator(Context)


def json_option(command: Command) -> Command:
    """`--json`, of which the whole command line hears through its Context."""

    def remember(context: click.Context, _: click.Parameter, value: bool) -> None:
        context.ensure_object(Context).as_json = value

    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=remember,
        help="Print JSON for programs.",
    )(command)


class ModelId(click.ParamType[str]):
    """`name` or `name:variant`, refused here already when it cannot be one."""

    name = "model"

    def convert(
        self, value: str, param: click.Parameter | None, context: click.Context | None
    ) -> str:
        from sirene_shared.errors import InvalidRequest
        from sirene_shared.names import split_id

        try:
            split_id(value)
        except InvalidRequest as error:
            self.fail(f"{error.message}. {error.hint}", param, context)
        return value


MODEL = ModelId()
