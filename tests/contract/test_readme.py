"""The README says what is true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_settings_table_is_the_services_own() -> None:
    command = [sys.executable, "tools/settings_table.py"]
    table = subprocess.check_output(command, cwd=ROOT, text=True)
    assert table in (ROOT / "README.md").read_text(), "run tools/settings_table.py and paste it"


def test_the_readme_opens_with_the_two_commands() -> None:
    opening = (ROOT / "README.md").read_text()[:500]
    assert "make up" in opening
    assert "make test" in opening


@pytest.mark.parametrize(
    "page", ["README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_every_link_to_a_file_of_ours_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text()):
        assert ((ROOT / page).parent / target).exists(), target
