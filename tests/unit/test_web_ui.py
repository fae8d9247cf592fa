"""Where the web UI's build lies, or why there is none."""

from pathlib import Path

from sirene_shared.web_ui import Missing, look


def test_a_build_is_found(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "index.html").touch()
    assert look(tmp_path) == tmp_path / "static"


def test_a_build_that_failed_tells_its_reason_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "not_built.txt").write_text("\nnpm could not be reached\nnpm ERR! code ENOTFOUND\n")
    assert look(tmp_path) == Missing("npm could not be reached")


def test_a_folder_without_the_page_is_no_build(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    assert look(tmp_path) == Missing("it was not built")
