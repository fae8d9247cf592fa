"""What "installed" means."""

from pathlib import Path

import msgspec
import pytest

from sirene_shared.errors import ModelDamaged, ModelNotInstalled
from sirene_shared.names import ModelRef
from sirene_shared.store import RECORD_NAME, InstallRecord, RecordedFile, Store

REF = ModelRef("piper", "tiny")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    folder = tmp_path / "piper" / "tiny"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"12345")
    record = InstallRecord(
        model="piper",
        variant="tiny",
        manifest_digest="0" * 64,
        revision="",
        files=(RecordedFile(path="model.onnx", size=5, sha256="0" * 64),),
        installed_at=0.0,
        sirene_version="0",
    )
    (folder / RECORD_NAME).write_bytes(msgspec.json.encode(record))
    return Store(tmp_path)


def test_a_directory_with_its_record_is_installed(store: Store) -> None:
    assert list(store.installed_files(REF)) == ["model.onnx"]
    assert list(store.directories()) == [REF]


def test_a_directory_without_a_record_is_not_installed(store: Store) -> None:
    (store.directory(REF) / RECORD_NAME).unlink()
    with pytest.raises(ModelNotInstalled, match="piper:tiny"):
        store.installed_files(REF)


@pytest.mark.parametrize("damage", ["missing", "cut", "link", "record"])
def test_what_changed_under_an_install_is_damage_and_names_the_file(
    store: Store, damage: str
) -> None:
    file = store.directory(REF) / "model.onnx"
    match damage:
        case "missing":
            file.unlink()
        case "cut":
            file.write_bytes(b"123")
        case "link":
            other = file.rename(file.with_name("elsewhere"))
            file.symlink_to(other)
        case _:
            (file.parent / RECORD_NAME).write_bytes(b"{")
    with pytest.raises(ModelDamaged, match="record" if damage == "record" else "model.onnx"):
        store.installed_files(REF)


def test_staging_and_foreign_folders_are_no_models(store: Store) -> None:
    (store.staging / "writer" / "x").mkdir(parents=True)
    (store.root / "lost+found" / "x").mkdir(parents=True)
    (store.root / "kokoro").symlink_to(store.root / "piper")
    assert list(store.directories()) == [REF]


def test_a_volume_that_is_not_there_has_no_models(tmp_path: Path) -> None:
    assert list(Store(tmp_path / "nowhere").directories()) == []
