"""A pull on the terminal: one bar with bytes, speed, time left and the file in work.

Where standard error is no terminal, one line for each state and each tenth of the way.
"""

import sys
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from sirene_cli import output
from sirene_cli.text import duration, plain, size
from sirene_cli.views import PullEvent


class ProgressView(Protocol):
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    def show(self, event: PullEvent) -> None: ...
    def show_break(self) -> None: ...


class Bar:
    """For a terminal."""

    def __init__(self, model: str, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[amount]}", markup=False),
            TextColumn("{task.fields[file]}", markup=False, style="dim"),
            console=console,
            refresh_per_second=8,
        )
        self._task = self._progress.add_task(model, total=None, amount="", file="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, event: PullEvent) -> None:
        self._progress.update(
            self._task,
            total=event.total_bytes,
            completed=event.done_bytes or 0,
            amount=amount(event),
            file=files(event),
        )

    def show_break(self) -> None:
        self._progress.update(self._task, amount="connection lost, trying again", file="")


class Lines:
    """For a log file or a pipe."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._shown: tuple[str, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def show(self, event: PullEvent) -> None:
        step = (event.phase or event.state, int((event.percent or 0) // 10))
        if step != self._shown:
            self._shown = step
            percent = "" if event.percent is None else f" {event.percent:.0f}%"
            output.note(f"{self._model}:{percent} {amount(event)}")

    def show_break(self) -> None:
        output.note(f"{self._model}: connection lost, trying again")


def progress_view(model: str) -> ProgressView:
    return Bar(model, Console(stderr=True)) if sys.stderr.isatty() else Lines(model)


def files(event: PullEvent) -> str:
    """`model.onnx +2`: the first file in work, and how many others are."""
    others = len(event.files) - 1
    return plain(event.file or "") + (f" +{others}" if others > 0 else "")


def amount(event: PullEvent) -> str:
    """`12.1 MB of 63.2 MB, 8.0 MB/s, 6 s left`, or what happens instead of bytes arriving."""
    if event.phase != "downloading":
        return event.phase or event.state
    parts = [f"{size(event.done_bytes)} of {size(event.total_bytes)}"]
    if event.total_bytes is None:
        parts = [size(event.done_bytes)]
    if event.speed_bytes_s is not None:
        parts.append(f"{size(event.speed_bytes_s)}/s")
    if event.eta_s is not None:
        parts.append(f"{duration(event.eta_s)} left")
    if event.attempt and event.attempt > 1:
        parts.append(f"attempt {event.attempt}")
    return ", ".join(parts)
