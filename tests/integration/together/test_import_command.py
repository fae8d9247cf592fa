"""`sirene import` against the real API and downloader."""

import asyncio
import hashlib
import json
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sirene_cli.main import sirene
from sirene_shared.names import ModelRef
from tests.integration.downloader.rig import Rig
from tests.integration.together.conftest import Serving

VOICE = ModelRef("piper", "fr_FR-siwis-medium")
NAMES = {"model.onnx": "fr_FR-siwis-medium.onnx", "model.onnx.json": "fr_FR-siwis-medium.onnx.json"}
FILES = {"model.onnx": b"m" * 3_000_000, "model.onnx.json": b'{"audio": {}}'}
Call = Callable[..., Awaitable[Result]]


@pytest.fixture
async def call(rig: Rig, api_of_rig: Serving) -> AsyncIterator[Call]:
    rig.write_manifest(
        [
            {
                "path": path,
                "source": f"fr/fr_FR/siwis/medium/{NAMES[path]}",
                "size": len(content),
                "md5": hashlib.md5(content).hexdigest(),
            }
            for path, content in FILES.items()
        ],
        ref=VOICE,
    )
    async with rig.running(), api_of_rig() as api:

        async def invoke(*arguments: object) -> Result:
            runner = CliRunner(env={"SIRENE_URL": api.url, "NO_COLOR": "1"})
            words = [str(word) for word in ("import", *arguments)]
            result = await asyncio.to_thread(runner.invoke, sirene, words)
            assert "Traceback" not in result.output
            return result

        yield invoke


@pytest.fixture
def pair(tmp_path: Path) -> list[Path]:
    """As they are published."""
    folder = tmp_path / "brought"
    folder.mkdir()
    for path, name in NAMES.items():
        (folder / name).write_bytes(FILES[path])
    return [folder / name for name in NAMES.values()]


async def test_a_piper_pair_is_installed_by_its_names_alone(
    rig: Rig, call: Call, pair: list[Path]
) -> None:
    result = await call(*pair)
    assert result.exit_code == 0, result.output
    assert f"{VOICE.id} is installed" in result.stderr
    rig.check_installed(FILES, ref=VOICE)
    assert rig.hub.log == []


async def test_a_folder_and_a_tar_of_it_do_as_well(rig: Rig, call: Call, tmp_path: Path) -> None:
    folder = tmp_path / VOICE.variant
    folder.mkdir()
    for path, content in FILES.items():
        (folder / path).write_bytes(content)
    (folder / ".sirene.json").write_text("of another machine")
    archive = tmp_path / "voice.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(folder, arcname=VOICE.variant)
    for brought in (folder, archive):
        result = await call(brought, "--json")
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["id"] == VOICE.id
        rig.check_installed(FILES, ref=VOICE)


async def test_half_a_pair_is_refused_before_a_byte_is_sent(
    rig: Rig, call: Call, pair: list[Path]
) -> None:
    result = await call(pair[0])
    assert result.exit_code == 1
    assert "model.onnx.json" in result.stderr
    assert rig.staged_bytes() == 0


async def test_a_voice_that_the_catalogue_lacks_is_refused_with_what_to_do(
    call: Call, tmp_path: Path
) -> None:
    voice = tmp_path / "de_DE-karlsson-low.onnx"
    voice.write_bytes(b"m")
    result = await call(voice)
    assert result.exit_code == 4
    assert "de_DE-karlsson-low" in result.stderr
    assert "manifest" in result.stderr


async def test_a_file_with_another_content_is_named_and_nothing_installed(
    rig: Rig, call: Call, pair: list[Path]
) -> None:
    pair[0].write_bytes(b"x" * len(FILES["model.onnx"]))
    result = await call(*pair)
    assert result.exit_code == 1
    assert "'model.onnx': wrong hash" in result.stderr
    assert not rig.store.directory(VOICE).exists()
