"""The web UI's wheel: it brings the built assets, the same each time, or says why it cannot."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WEB = ROOT / "web"
UV = Path(sys.executable).with_name("uv")
UNREACHABLE = {
    "npm_config_registry": "http://127.0.0.1:1",
    "npm_config_fetch_retries": "0",
}
BUILD_S = 600


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """What git has of web/, and nothing that was built."""
    folder = tmp_path / "web"
    ignored = shutil.ignore_patterns("node_modules", "static", "not_built.txt", "__pycache__")
    shutil.copytree(WEB, folder, ignore=ignored)
    return folder


@pytest.mark.slow
def test_the_wheel_has_the_built_assets_and_is_the_same_each_time(
    sources: Path, tmp_path: Path
) -> None:
    first = wheel(sources, tmp_path / "first")
    shutil.rmtree(sources / "sirene_web" / "static")
    second = wheel(sources, tmp_path / "second")
    assert digest(first) == digest(second)
    names = zipfile.ZipFile(first).namelist()
    assert "sirene_web/__init__.py" in names
    assert "sirene_web/static/index.html" in names
    assets = [name for name in names if name.startswith("sirene_web/static/assets/")]
    assert {Path(name).suffix for name in assets} >= {".js", ".css", ".svg"}
    assert not [name for name in names if "node_modules" in name or "/src/" in name]
    page = zipfile.ZipFile(first).read("sirene_web/static/index.html").decode()
    assert all(Path(name).name in page for name in assets if Path(name).suffix == ".css")


@pytest.mark.slow
def test_a_source_distribution_brings_the_assets_and_needs_no_npm(
    sources: Path, tmp_path: Path
) -> None:
    built = build(sources, "--sdist", "--out-dir", tmp_path / "sdist")
    assert built.returncode == 0, built.stderr
    (archive,) = (tmp_path / "sdist").glob("*.tar.gz")
    built = build(archive, "--wheel", "--out-dir", tmp_path / "wheel", **UNREACHABLE)
    assert built.returncode == 0, built.stderr
    (made,) = (tmp_path / "wheel").glob("*.whl")
    assert "sirene_web/static/index.html" in zipfile.ZipFile(made).namelist()


@pytest.mark.slow
def test_without_npm_on_path_the_wheel_of_node_builds_the_same(
    sources: Path, tmp_path: Path
) -> None:
    with_path = wheel(sources, tmp_path / "first")
    shutil.rmtree(sources / "sirene_web" / "static")
    without = wheel(sources, tmp_path / "second", PATH=str(path_without_node(tmp_path)))
    assert digest(with_path) == digest(without)


def test_with_npm_unreachable_a_wheel_fails_and_says_why(sources: Path, tmp_path: Path) -> None:
    built = build(sources, "--wheel", "--out-dir", tmp_path / "out", **npm_alone(tmp_path))
    assert built.returncode != 0
    assert "the web UI cannot be built: " in built.stderr
    assert "127.0.0.1:1" in built.stderr
    assert list((tmp_path / "out").glob("*.whl")) == []


def test_with_npm_unreachable_an_editable_install_goes_on_and_keeps_the_reason(
    sources: Path, environment: Path, tmp_path: Path
) -> None:
    installed = install(sources, environment, **npm_alone(tmp_path))
    assert installed.returncode == 0, installed.stderr
    reason = (sources / "sirene_web" / "not_built.txt").read_text()
    assert "127.0.0.1:1" in reason
    assert reason.count("\n") == 1
    assert not (sources / "sirene_web" / "static").exists()
    found = subprocess.check_output(
        [environment / "bin" / "python", "-c", "import sirene_web; print(sirene_web.__file__)"],
        text=True,
    )
    assert Path(found.strip()).parent == sources / "sirene_web"


def test_an_editable_install_that_requires_the_ui_fails_without_it(
    sources: Path, environment: Path, tmp_path: Path
) -> None:
    wanted = npm_alone(tmp_path) | {"SIRENE_UI_BUILD": "require"}
    installed = install(sources, environment, **wanted)
    assert installed.returncode != 0
    assert "the web UI cannot be built: " in installed.stderr


def test_a_build_that_shall_skip_the_ui_asks_for_no_npm_and_says_so(
    sources: Path, tmp_path: Path
) -> None:
    made = wheel(sources, tmp_path / "out", SIRENE_UI_BUILD="skip", **npm_alone(tmp_path))
    archive = zipfile.ZipFile(made)
    assert archive.read("sirene_web/not_built.txt") == b"SIRENE_UI_BUILD=skip\n"
    assert not [name for name in archive.namelist() if "static" in name]


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    folder = tmp_path / "venv"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    return folder


def wheel(source: Path, out: Path, **environ: str) -> Path:
    built = build(source, "--wheel", "--out-dir", out, **environ)
    assert built.returncode == 0, built.stderr
    (made,) = out.glob("*.whl")
    return made


def build(source: Path, *arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return uv("build", source, "--build-constraints", LOCK, *arguments, **environ)


def install(source: Path, environment: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    environ |= {"VIRTUAL_ENV": str(environment)}
    arguments = ("--no-deps", "--build-constraints", LOCK, "-e", source)
    return uv("pip", "install", *arguments, **environ)


LOCK = ROOT / "requirements-build.lock"


def uv(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [UV, *arguments],
        # What CI says of its own build is not what is tried here.
        env={**os.environ, "SIRENE_UI_BUILD": ""} | environ,
        capture_output=True,
        text=True,
        timeout=BUILD_S,
        check=False,
    )


def npm_alone(tmp_path: Path) -> dict[str, str]:
    """npm reaches no registry, and has nothing from an earlier time."""
    return UNREACHABLE | {"npm_config_cache": str(tmp_path / "npm")}


def path_without_node(tmp_path: Path) -> Path:
    """Every program of PATH but Node's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(place).glob("*"):
            if program.name not in ("node", "npm", "npx", "nodejs"):
                link = folder / program.name
                link.unlink(missing_ok=True)
                link.symlink_to(program)
    return folder


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
