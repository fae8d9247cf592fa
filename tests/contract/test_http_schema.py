"""The OpenAPI document: what it promises, and that it is the same each time."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sirene_api.app import create_app
from sirene_api.settings import Settings

ROUTES = {
    "GET /api/models",
    "GET /api/models/catalog",
    "GET /api/models/events",
    "GET /api/models/installed",
    "GET /api/models/loaded",
    "GET /api/models/{model_id}",
    "DELETE /api/models/{model_id}",
    "GET /api/models/{model_id}/pull",
    "POST /api/models/{model_id}/pull",
    "POST /api/models/{model_id}/cancel",
    "POST /api/models/{model_id}/pause",
    "POST /api/models/{model_id}/resume",
    "POST /api/models/{model_id}/first",
    "GET /api/downloads",
    "POST /api/downloads/pause",
    "POST /api/downloads/resume",
    "POST /api/downloads/cancel",
    "POST /api/downloads/order",
    "GET /api/downloads/limits",
    "PATCH /api/downloads/limits",
    "POST /api/models/{model_id}/verify",
    "POST /api/models/{model_id}/repair",
    "GET /api/storage",
    "POST /api/models/identify",
    "PUT /api/models/{model_id}/files/{file_path}",
    "POST /api/models/{model_id}/import",
    "GET /api/settings",
    "PUT /api/settings/hub-token",
    "DELETE /api/settings/hub-token",
    "GET /api/downloads/parts",
    "DELETE /api/downloads/parts",
    "POST /api/models/{model_id}/load",
    "POST /api/models/{model_id}/unload",
    "POST /api/models/{model_id}/pin",
    "POST /api/models/{model_id}/unpin",
    "POST /models/unload",
    "POST /v1/audio/speech",
    "GET /v1/models",
    "GET /v1/models/{model_id}",
    "GET /v1/audio/models",
    "GET /v1/audio/voices",
    "GET /api/health/live",
    "HEAD /api/health/live",
    "GET /api/health/ready",
    "HEAD /api/health/ready",
}
DOCS = Path(__file__).parents[2] / "docs" / "http-api.md"


def document() -> Any:
    schema = create_app(Settings()).litestar.openapi_schema.to_schema()
    return msgspec.to_builtins(schema)


@pytest.fixture(scope="module")
def schema() -> Any:
    return document()


def operations(schema: Any) -> dict[str, Any]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in schema["paths"].items()
        for method, operation in item.items()
    }


def test_every_route_of_the_contract_is_there_and_no_other(schema: Any) -> None:
    assert set(operations(schema)) == ROUTES


def test_every_route_is_described_and_every_error_has_our_shape(schema: Any) -> None:
    ours = {"$ref": "#/components/schemas/ErrorAnswer"}
    for name, operation in operations(schema).items():
        assert operation["description"], name
        assert operation["tags"], name
        for status, answer in operation["responses"].items():
            if status.startswith(("4", "5")) and "health" not in name:
                (content,) = answer["content"].values()
                assert content["schema"] == ours, (name, status)


def test_the_events_are_described(schema: Any) -> None:
    paths = schema["paths"]
    for path in ("/api/models/events", "/api/models/{model_id}/pull"):
        answer = paths[path]["get"]["responses"]["200"]
        assert len(answer["content"]["text/event-stream"]["schema"]["oneOf"]) >= 3


def test_what_the_routes_answer_is_typed_to_the_last_field(schema: Any) -> None:
    """A client made from the document must not guess."""
    for name, kind in schema["components"]["schemas"].items():
        for field, value in kind.get("properties", {}).items():
            told = {"type", "$ref", "oneOf", "anyOf", "allOf", "const"} & set(value)
            assert told, f"{name}.{field}"
    for name, operation in operations(schema).items():
        for parameter in operation.get("parameters", ()):
            assert parameter["schema"], (name, parameter["name"])
        for status, answer in operation["responses"].items():
            if status.startswith("2") and status != "204":
                (content,) = answer["content"].values()
                assert content["schema"], (name, status)


def test_every_route_that_takes_a_body_says_that_it_can_be_too_large(schema: Any) -> None:
    for name, operation in operations(schema).items():
        assert ("requestBody" in operation) == ("413" in operation["responses"]), name


def test_the_document_is_written_without_a_server_and_the_same_whatever_the_hash_seed() -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-m", "sirene_api.schema"],
            env=os.environ | {"PYTHONHASHSEED": seed, "NATS_URL": "nats://127.0.0.1:1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert msgspec.json.decode(runs[0])["openapi"].startswith("3.1")


def test_two_runs_give_the_same_document(schema: Any) -> None:
    assert msgspec.json.encode(document()) == msgspec.json.encode(schema)


def test_the_documentation_names_every_route() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for route in ROUTES:
        method, path = route.split()
        if method != "HEAD":
            assert path.replace("{model_id}", "{id}") in text, route
