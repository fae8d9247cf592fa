"""The plain pages."""

import re

from sirene_api.catalog import Catalog
from sirene_api.pages import SECURITY_HEADERS, schema_page, start_page
from sirene_shared.manifest import Catalogue, parse

HOSTILE = b"""{ "name": "toy", "description": "<script>alert(1)</script>", "backend": "tone",
  "license": "<b>&", "variants": { "v1": { "files": ["a"], "url": "https://hub.example/" } },
  "defaults": { "variant": "v1" } }"""
SCHEMA = {
    "info": {"title": "Sirene", "version": "1", "description": "It <speaks>."},
    "paths": {
        "/x": {
            "get": {
                "tags": ["things"],
                "description": "Does\n    <it>.",
                "responses": {"200": {"description": "Done."}},
            },
            "parameters": [],
        }
    },
}


def test_what_a_manifest_says_is_shown_as_text() -> None:
    catalog = Catalog(Catalogue({"toy": parse(HOSTILE, "toy")}))
    page = start_page(catalog.views(), has_state=True)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "absent" in page


def test_without_a_bus_no_state_is_claimed() -> None:
    catalog = Catalog(Catalogue({"toy": parse(HOSTILE, "toy")}))
    page = start_page(catalog.views(), has_state=False)
    assert "absent</span>" not in page
    assert "unknown" in page


def test_the_schema_page_shows_each_route() -> None:
    page = schema_page(SCHEMA, document="/schema/openapi.json")
    assert "<code>GET /x</code>" in page
    assert "Does &lt;it&gt;." in page
    assert ">200</span>" in page


def test_pages_load_nothing_and_run_nothing() -> None:
    for page in (schema_page(SCHEMA, document="/d"), start_page([], has_state=True)):
        assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page)
        assert "<script" not in page
        assert "style=" not in page  # the policy allows the one sheet alone
    assert "script" not in SECURITY_HEADERS["content-security-policy"]
