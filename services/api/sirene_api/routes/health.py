"""For whoever watches the API: does it live, and can it serve."""

from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from sirene_api.answers import Live, Readiness
from sirene_api.health import readiness
from sirene_api.link import BusLink

GET_AND_HEAD = [HttpMethod.GET, HttpMethod.HEAD]


@route("/api/health/live", http_method=GET_AND_HEAD, status_code=200, tags=["health"])
async def live() -> Live:
    """The process answers, whatever may be wrong behind it."""
    return Live()


@route(
    "/api/health/ready",
    http_method=GET_AND_HEAD,
    status_code=200,
    tags=["health"],
    responses={
        503: ResponseSpec(Readiness, description="The bus is away.", generate_examples=False)
    },
)
async def ready(link: NamedDependency[BusLink]) -> Response[Readiness]:
    """Whether requests can be served: the bus answers, and its state is read."""
    found = await readiness(link)
    is_ready = found.status == "ready"
    return Response(
        found,
        status_code=200 if is_ready else 503,
        headers={"cache-control": "no-store"} | ({} if is_ready else {"retry-after": "5"}),
    )
