"""Pulling a model: asked for with POST, followed as events with GET."""

from typing import Annotated

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, HeaderParameter, QueryParameter

from sirene_api.answers import PullComplete, PullFailed, PullProgress, PullView
from sirene_api.catalog import Catalog
from sirene_api.inquiries import Inquiries
from sirene_api.pulls import Pulls
from sirene_api.routes.documented import errors, events
from sirene_api.routes.streamed import event_stream
from sirene_api.volume_answers import PreflightView

Variant = Annotated[str | None, QueryParameter(description="Instead of the one in the id.")]


@post(
    "/api/models/{model_id:str}/pull",
    status_code=202,
    tags=["pulls"],
    responses={
        200: ResponseSpec(
            PullView | PreflightView,  # type: ignore[arg-type]
            description="One runs already, or it is installed; or the preflight of a dry run.",
            generate_examples=False,
        ),
        202: ResponseSpec(PullView, description="A new pull.", generate_examples=False),
        **errors(403, 404),
    },
)
async def start_pull(
    model_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    pulls: NamedDependency[Pulls],
    inquiries: NamedDependency[Inquiries],
    variant: Variant = None,
    now: Annotated[
        bool, QueryParameter(description="Also outside the hours in which pulls run.")
    ] = False,
    dry_run: Annotated[
        bool, QueryParameter(description="Begin nothing; answer what a pull would meet.")
    ] = False,
) -> Response[PullView] | Response[PreflightView]:
    """Install the model; a pull that runs already is joined, and one that is paused goes on."""
    model = catalog.find(model_id, variant)
    if dry_run:
        return Response(await inquiries.preflight(model), status_code=200)
    pull, is_new = await pulls.start_or_resume(model, now=now)
    return Response(pull, status_code=202 if is_new else 200)


@get(
    "/api/models/{model_id:str}/pull",
    tags=["pulls"],
    responses={
        200: events(
            PullProgress | PullComplete | PullFailed,
            "Events `progress`, then `complete` or `error`, the last one.",
        ),
        204: ResponseSpec(None, description="The pull of this Last-Event-ID has ended."),
        **errors(403, 404),
    },
)
async def follow_pull(
    model_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    pulls: NamedDependency[Pulls],
    variant: Variant = None,
    last_event_id: Annotated[
        str | None,
        HeaderParameter(
            name="Last-Event-ID", description="Sent by an EventSource that comes back."
        ),
    ] = None,
) -> Response[bytes]:
    """Start or join the pull, and follow it as server-sent events to its end.

    Whoever comes back with a `Last-Event-ID` starts nothing: an EventSource connects again after
    a stream has ended, and would pull a failed or deleted model for ever.
    """
    model = catalog.find(model_id, variant)
    if last_event_id is None:
        pull, _ = await pulls.start(model)
        return event_stream(pulls.events(model.ref, pull.job))
    job = last_event_id.partition("/")[0]
    running = await pulls.running_job(model.ref)
    if running is None or running.job != job:
        return Response(b"", status_code=204)
    return event_stream(pulls.events(model.ref, job, was_running=True))


@post(
    "/api/models/{model_id:str}/cancel",
    status_code=202,
    tags=["pulls"],
    responses=errors(403, 404),
)
async def cancel_pull(
    model_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    pulls: NamedDependency[Pulls],
    keep: Annotated[
        bool, QueryParameter(description="Keep the bytes that came, for a later pull.")
    ] = False,
) -> PullView:
    """End the pull that is queued or running."""
    return await pulls.cancel(catalog.find(model_id), keep=keep)
