import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from sirene_inference.plain_file import open_plain
from sirene_shared.errors import ModelDamaged
from sirene_shared.store import RECORD_NAME, InstallRecord, RecordedFile

BODY = b"weights" * 1000
NAME = "speech/model.safetensors"


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A file in a folder of a variant, which another variant has too."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_bytes(BODY)
    path = tmp_path / "variant" / NAME
    path.parent.mkdir(parents=True)
    os.link(tmp_path / "other" / "file", path)
    return path


def record(path: Path, sha256: str, *, name: str = NAME) -> None:
    install = InstallRecord(
        model="qwen",
        variant="one",
        manifest_digest="",
        revision="",
        files=(RecordedFile(path=name, size=len(BODY), sha256=sha256),),
        installed_at=0.0,
        sirene_version="",
    )
    (path.parents[1] / RECORD_NAME).write_bytes(msgspec.json.encode(install))


def test_a_shared_file_is_read_from_its_start_when_it_is_what_was_installed(shared: Path) -> None:
    record(shared, hashlib.sha256(BODY).hexdigest())
    with open_plain(shared, shared.name) as file:
        assert file.read() == BODY


def test_a_shared_file_that_nobody_recorded_is_refused(shared: Path) -> None:
    with pytest.raises(ModelDamaged, match="another name"):
        open_plain(shared, shared.name)
    record(shared, hashlib.sha256(BODY).hexdigest(), name="model.safetensors")
    with pytest.raises(ModelDamaged, match="another name"):
        open_plain(shared, shared.name)


def test_a_shared_file_that_is_not_as_recorded_is_refused(shared: Path) -> None:
    record(shared, hashlib.sha256(b"other").hexdigest())
    with pytest.raises(ModelDamaged, match="another name"):
        open_plain(shared, shared.name)


def test_a_folder_or_a_pipe_in_a_files_place_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(ModelDamaged, match="not a plain file"):
            open_plain(tmp_path / name, name)
