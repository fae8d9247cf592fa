"""How routes are described in the OpenAPI document."""

from litestar.openapi.datastructures import ResponseSpec

from sirene_api.routes.streamed import EVENT_STREAM
from sirene_api.views import ErrorAnswer

MEANINGS = {
    400: "The request is wrong; `param` names the field.",
    403: "A page of another site asked.",
    404: "Unknown, or not installed; `code` tells which.",
    409: "The model is in use, pulled or damaged.",
    411: "The Content-Length is missing.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The files are not the model's; `param` names the first.",
    500: "It failed here; `code` tells how, and the log says more.",
    501: "What this model needs is not installed with the replica.",
    502: "A replica, or the hub, failed.",
    503: "Busy, loading, or unreachable; `Retry-After` says when to try again.",
    507: "It does not fit: into memory, or on the volume.",
}


def errors(*statuses: int) -> dict[int, ResponseSpec]:
    """The error answers of a route; every route may answer 503 when the bus is away, and 500."""
    return {
        status: ResponseSpec(ErrorAnswer, description=MEANINGS[status], generate_examples=False)
        for status in sorted({400, 500, 503, *statuses})
    }


def events(kinds: object, description: str) -> ResponseSpec:
    """A stream of server-sent events, each carrying one of `kinds`."""
    return ResponseSpec(
        kinds,  # type: ignore[arg-type]
        description=description,
        media_type=EVENT_STREAM,
        generate_examples=False,
    )
