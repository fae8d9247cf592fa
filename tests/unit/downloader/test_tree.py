"""What lies in a folder that others change while it is looked at."""

import shutil
from pathlib import Path

import pytest

from sirene_downloader.tree import below, children, files_below


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a/one", "a/deep/two", "b/three"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    return tmp_path / "tree"


def names(tree: Path) -> list[str]:
    return [path.relative_to(tree).as_posix() for path, _ in below(tree)]


def test_everything_is_told_before_what_it_holds(tree: Path) -> None:
    assert names(tree) == ["a", "a/deep", "a/deep/two", "a/one", "b", "b/three"]
    assert [found.st_size for _, found in files_below(tree)] == [5, 5, 5]


def test_links_are_told_and_not_followed(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/file").write_bytes(b"1")
    (tree / "link").symlink_to(tmp_path / "elsewhere")
    assert names(tree)[-1] == "link"
    assert len(list(files_below(tree))) == 3


@pytest.mark.parametrize("gone", ["a", "a/deep", "a/one", "b", ""])
def test_what_goes_while_it_is_looked_at_is_left_out(tree: Path, gone: str) -> None:
    looking = below(tree)
    assert next(looking)[0] == tree / "a"
    victim = tree / gone
    shutil.rmtree(victim) if victim.is_dir() else victim.unlink()
    assert all(path.exists() for path, _ in looking)


def test_a_folder_that_became_a_file_holds_nothing(tree: Path) -> None:
    looking = below(tree)
    next(looking)
    shutil.rmtree(tree / "a")
    (tree / "a").write_bytes(b"")
    assert [path.name for path, _ in looking] == ["b", "three"]
    assert children(tree / "a") == []


def test_what_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert children(tmp_path / "nowhere") == []
    assert list(below(tmp_path / "nowhere")) == []
