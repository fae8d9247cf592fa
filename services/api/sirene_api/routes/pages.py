"""The plain pages: the models under `/`, the API's routes under `/schema`."""

from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.openapi.plugins import OpenAPIRenderPlugin

from sirene_api.catalog import Catalog
from sirene_api.link import BusLink
from sirene_api.pages import SECURITY_HEADERS, schema_page, start_page
from sirene_shared.web_ui import Missing


@route(
    "/",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    status_code=200,
    media_type=MediaType.HTML,
    include_in_schema=False,
)
async def show_start(
    catalog: NamedDependency[Catalog],
    link: NamedDependency[BusLink],
    no_ui: NamedDependency[Missing | None],
) -> Response[str]:
    """In place of the web UI, which answers here itself."""
    page = start_page(catalog.views(), has_state=link.has_state, no_ui=no_ui)
    return Response(page, media_type=MediaType.HTML, headers=SECURITY_HEADERS)


class PlainSchemaPage(OpenAPIRenderPlugin):
    """Litestar's own pages load their scripts from other hosts; this one needs none."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        document = self.get_openapi_json_route(request)
        return schema_page(openapi_schema, document=document).encode()
