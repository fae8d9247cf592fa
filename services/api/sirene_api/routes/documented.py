"""How routes are described in the OpenAPI document."""

from litestar.openapi.datastructures import ResponseSpec

from sirene_api.routes.streamed import EVENT_STREAM
from sirene_api.views import ErrorAnswer

MEANINGS = {
    400: "The request is wrong; `param` names the field.",
    403: "A page of another site asked.",
    404: "Unknown, or not installed; `code` tells which.",
    409: "The model is in use or damaged.",
    415: "The body is not JSON.",
    502: "A replica failed.",
    503: "Busy, loading, or unreachable; `Retry-After` says when to try again.",
}


def errors(*statuses: int) -> dict[int, ResponseSpec]:
    """The error answers of a route; every route may answer 503 when the bus is away."""
    return {
        status: ResponseSpec(ErrorAnswer, description=MEANINGS[status], generate_examples=False)
        for status in sorted({400, 503, *statuses})
    }


def events(kinds: object, description: str) -> ResponseSpec:
    """A stream of server-sent events, each carrying one of `kinds`."""
    return ResponseSpec(
        kinds,  # type: ignore[arg-type]
        description=description,
        media_type=EVENT_STREAM,
        generate_examples=False,
    )
