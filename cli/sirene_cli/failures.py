"""How a command fails: one line on standard error, a hint, and an exit status that scripts can use.

CliError              1    the operation failed
├── WrongUse          2    the command was used wrongly
├── Unreachable       3    the API cannot be reached
├── NotFound          4    there is no such model, variant, voice or pull
├── Busy              5    busy or not ready: the same command may work later
└── Interrupted       130  by Ctrl-C
"""

from typing import IO, ClassVar

import click
import msgspec

from sirene_cli.text import plain


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """An error as the API tells it."""

    message: str
    code: str = ""
    type: str = ""
    hint: str | None = None
    param: str | None = None


class CliError(click.ClickException):
    """Ends the command; never shown with a traceback."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code
        """The stable word, as in the API's errors."""
        self.is_told = False
        """Standard output holds it already, in what --json prints."""

    def show(self, file: IO[str] | None = None) -> None:
        click.echo(f"sirene: {plain(self.message)}", file=file, err=file is None)
        if self.hint:
            click.echo(f"  {plain(self.hint)}", file=file, err=file is None)

    def as_json(self) -> str:
        body = {"message": self.message, "code": self.code, "hint": self.hint}
        return msgspec.json.encode({"error": body}).decode()


class WrongUse(CliError):
    exit_code = 2


class Unreachable(CliError):
    exit_code = 3


class NotFound(CliError):
    exit_code = 4


class Busy(CliError):
    exit_code = 5


class Interrupted(CliError):
    exit_code = 130


def told_by_api(body: ErrorBody, status: int | None = None) -> CliError:
    """The failure that an error of the API is. status: None when it came in a stream."""
    kind = CliError
    if status == 404 or body.code.endswith("_not_found") or body.code == "model_not_installed":
        kind = NotFound
    elif status in (429, 503):
        kind = Busy
    return kind(body.message, hint=body.hint or "", code=body.code)
