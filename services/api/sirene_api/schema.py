"""The OpenAPI document as a program, for whoever makes a client from it: needs no bus and no
server.

    python -m sirene_api.schema > openapi.json
"""

import sys

import msgspec

from sirene_api.app import create_app
from sirene_api.settings import Settings
from sirene_shared.manifest import Catalogue


def document() -> bytes:
    """The same bytes each time, so that a client that was made from an older one can be told."""
    schema = create_app(Settings(), catalogue=Catalogue({})).litestar.openapi_schema.to_schema()
    # A route of two paths is a set of them, whose order is another in each process.
    schema["paths"] = dict(sorted(schema["paths"].items()))
    return msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(document())
