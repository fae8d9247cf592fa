"""What docs/operations.md shows is right."""

import json
import re
from pathlib import Path

from sirene_shared.manifest import parse

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def test_the_manifest_that_is_shown_is_one() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert parse(shown.encode(), json.loads(shown)["name"]).backend == "piper"
