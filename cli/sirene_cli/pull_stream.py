"""A pull's events from the API, as one unbroken series: reconnected where the stream breaks."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import httpx
import msgspec

from sirene_cli.api_client import ApiClient, model_path
from sirene_cli.failures import Busy, ErrorBody, Unreachable
from sirene_cli.sse import EventReader, EventTooLong
from sirene_cli.views import ModelView, PullEvent
from sirene_shared.messages import ACTIVE_STATES, InstallState

# How long the API may be away (a restart, an update) until the command gives up watching.
PATIENCE_S = 60.0
RECONNECT_S = 1.0
TERMINAL = ("complete", "error")


class Told(NamedTuple):
    """One event: its name, what it says, and the bytes of that for --json."""

    kind: str
    event: PullEvent
    raw: str


class PullStream:
    """Starts or joins the pull of `model` and tells its events up to the terminal one.

    job: one that was asked for already, and is only followed.
    """

    def __init__(
        self,
        api: ApiClient,
        model: str,
        variant: str | None,
        *,
        job: str = "",
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
        on_break: Callable[[], None] = lambda: None,
    ) -> None:
        self._api = api
        self._model = model
        self._query = {"variant": variant} if variant else {}
        self._reader = EventReader()
        # A job that was asked for already is followed as one whose stream broke at once.
        self._job = job
        self._reader.last_id = f"{job}/0" if job else ""
        self._id = f"{model.partition(':')[0]}:{variant}" if variant else model
        self._sleep, self._now, self._on_break = sleep, now, on_break

    def events(self) -> Iterator[Told]:
        """Raises: CliError when the pull is refused, or the API stays away."""
        heard_at: float | None = None
        while True:
            try:
                for told in self._connection():
                    heard_at = self._now()
                    yield told
                    if told.kind in TERMINAL:
                        return
            except (httpx.TransportError, EventTooLong) as error:
                self._wait(heard_at, error)
            except (Busy, Unreachable) as error:
                if heard_at is None:
                    raise
                self._wait(heard_at, error)
            else:
                self._wait(heard_at, None)  # ended without a terminal event: the API restarts

    def _connection(self) -> Iterator[Told]:
        """The events of one connection; of a pull that ended meanwhile, how it ended."""
        headers = {"Accept": "text/event-stream"}
        if self._reader.last_id:
            headers["Last-Event-ID"] = self._reader.last_id
        self._reader.restart()
        path = model_path(self._model, "pull")
        with self._api.stream("GET", path, query=self._query, headers=headers) as answer:
            if answer.status_code == httpx.codes.NO_CONTENT:
                if outcome := self._outcome():
                    yield outcome
                self._reader.last_id = ""  # another pull of the model runs now: join that
                return
            for event in self._reader.read(answer.iter_bytes()):
                yield Told(event.kind, self._api.decode(event.data, PullEvent), event.data)

    def _outcome(self) -> Told | None:
        """How the pull ended while nobody listened; None when the model is pulled again."""
        view = self._api.ask(ModelView, "GET", model_path(self._id))
        if view.state in ACTIVE_STATES:
            return None
        has_failed = view.error is not None and bool(self._job) and view.job == self._job
        if view.state == InstallState.INSTALLED and not has_failed:
            event = PullEvent(
                id=view.id, job=view.job, state=view.state, size_bytes=view.installed_bytes
            )
            return Told("complete", event, msgspec.json.encode(event).decode())
        cancelled = ErrorBody(
            message=f"the pull of {view.id!r} was cancelled", code="pull_cancelled"
        )
        event = PullEvent(id=view.id, job=view.job, state=view.state, error=view.error or cancelled)
        return Told("error", event, msgspec.json.encode(event).decode())

    def _wait(self, heard_at: float | None, error: Exception | None) -> None:
        """Pause before the next connection. Raises: CliError when there shall be none."""
        if heard_at is None or self._now() - heard_at > PATIENCE_S:
            with self._api.reachable():
                raise error or httpx.RemoteProtocolError("the stream ended at once")
        self._on_break()
        asked = self._reader.retry_s
        self._sleep(RECONNECT_S if asked is None else min(asked, RECONNECT_S))
