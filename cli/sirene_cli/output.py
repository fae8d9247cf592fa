"""What commands print: tables for people on a terminal, the same columns for pipes, JSON lines."""

import sys
import time
from collections.abc import Iterable, Sequence

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sirene_cli.text import duration, plain, size
from sirene_cli.views import LoadedView, ModelView

# Not on a terminal nothing is wrapped or cut, so that `grep` and `awk` see whole rows.
PIPE_WIDTH = 10_000
NUMBERS = frozenset({"SIZE", "MEMORY", "IDLE", "IN USE"})


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print aligned columns on standard output."""
    is_terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, width=None if is_terminal else PIPE_WIDTH, highlight=False)
    grid = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in columns:
        grid.add_column(
            column,
            justify="right" if column in NUMBERS else "left",
            no_wrap=column == columns[0] or not is_terminal,
        )
    for row in rows:
        grid.add_row(*(Text(plain(cell)) for cell in row))
    if is_terminal:
        console.print(grid)
        return
    for line in console.render_lines(grid, pad=False):
        click.echo("".join(segment.text for segment in line).rstrip())


def models_table(models: Iterable[ModelView]) -> None:
    columns = ("MODEL", "STATE", "SIZE", "BACKEND", "LANGUAGES", "LICENSE")
    table(columns, (model_row(model) for model in models))


def model_row(model: ModelView) -> tuple[str, ...]:
    return (
        model.id,
        state(model),
        size(model.installed_bytes or model.size_bytes),
        model.backend,
        ", ".join(model.languages[:4]) + (", …" if len(model.languages) > 4 else ""),
        model.license,
    )


def state(model: ModelView) -> str:
    """The install state, with how far it is, that it is in memory, or why it failed."""
    if model.state == "downloading" and model.transfer and model.transfer.percent is not None:
        return f"downloading {model.transfer.percent:.0f}%"
    if model.state == "installed" and any(copy.state == "loaded" for copy in model.loaded):
        return "installed, loaded"
    if model.error and model.state in ("failed", "damaged"):
        return f"{model.state}: {model.error.code}"
    return model.state


def loaded_table(models: Iterable[LoadedView]) -> None:
    columns = ("MODEL", "STATE", "DEVICE", "MEMORY", "IN USE", "IDLE", "STAYS", "REPLICA")
    table(columns, (loaded_row(model) for model in models))


def loaded_row(model: LoadedView) -> tuple[str, ...]:
    return (
        model.id,
        model.state,
        model.device,
        size(model.memory_bytes),
        str(model.in_flight),
        duration(model.idle_s) if not model.in_flight else "-",
        stay(model),
        f"{model.replica} on {model.host}" if model.host else model.replica,
    )


def stay(model: LoadedView) -> str:
    """How long the model stays if nobody uses it."""
    if model.pinned:
        return "pinned"
    left = "-" if model.expires_at is None else duration(max(model.expires_at - time.time(), 0))
    return f"{left}, leaves first" if model.is_next else left


def note(text: str) -> None:
    """Tell people something beside the result: on standard error."""
    click.echo(plain(text), err=True)


def as_json(value: object) -> None:
    click.echo(msgspec.json.encode(value).decode())
