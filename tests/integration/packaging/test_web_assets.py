"""What the web UI is made of: small, from this host alone, and locked for every machine."""

import gzip
import json
import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[3] / "web"
STATIC = WEB / "sirene_web" / "static"
MOST_JS_BYTES, MOST_CSS_BYTES = 180_000, 10_000
# Names in texts and namespaces, from which nothing is loaded.
NAMED = {
    "http://www.w3.org",  # XML namespaces
    "https://react.dev",  # in React's errors
    "https://tailwindcss.com",  # in the licence line of its CSS
    "http://localhost",  # the base that the router parses addresses against
    "https://huggingface.co",  # links to a model's page
}


@pytest.fixture(scope="module")
def built() -> Path:
    if not (STATIC / "index.html").is_file():
        pytest.skip("the web UI is not built here")
    return STATIC


@pytest.mark.parametrize(
    ("suffix", "most_bytes"), [(".js", MOST_JS_BYTES), (".css", MOST_CSS_BYTES)]
)
def test_all_scripts_and_all_styles_are_small(built: Path, suffix: str, most_bytes: int) -> None:
    sizes = {
        path.name: len(gzip.compress(path.read_bytes(), mtime=0))
        for path in built.rglob(f"*{suffix}")
    }
    assert sizes
    assert sum(sizes.values()) <= most_bytes, sizes


def test_nothing_is_named_that_lies_on_another_host(built: Path) -> None:
    texts = [WEB / "index.html", *(WEB / "src").rglob("*"), *built.rglob("*")]
    named: dict[str, str] = {}
    for path in texts:
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            for host in re.findall(r"(?:https?:|\")//[\w.-]+", text):
                named[host.replace('"', "https:")] = path.name
    assert {host: where for host, where in named.items() if host not in NAMED} == {}


def test_the_page_loads_its_own_assets_and_runs_nothing_inline(built: Path) -> None:
    page = (built / "index.html").read_text(encoding="utf-8")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert loaded
    for address in loaded:
        assert address.startswith("/assets/"), address
        assert (built / address.removeprefix("/")).is_file()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert "style=" not in page


def test_the_lock_has_every_machines_packages_and_no_ones_addresses() -> None:
    lock = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "://" not in re.sub(r'"(?:url|funding)": "[^"]*"', "", lock)
    packages = json.loads(lock)["packages"]
    for place, package in packages.items():
        assert not place or package.get("integrity") or package.get("link"), place
        for name in package.get("optionalDependencies", {}):
            nested = f"{place}/node_modules/{name}" if place else f"node_modules/{name}"
            assert nested in packages or f"node_modules/{name}" in packages, name


def test_what_builds_it_is_pinned() -> None:
    package = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    for wanted in (package["dependencies"] | package["devDependencies"]).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", wanted), wanted
    assert "omit-lockfile-registry-resolved=true" in (WEB / ".npmrc").read_text()
