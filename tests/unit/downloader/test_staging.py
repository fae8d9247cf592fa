"""Corners, drafts and what a dead writer leaves."""

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sirene_downloader.draft import Draft, Origin
from sirene_downloader.remote import Digest, RemoteFile
from sirene_downloader.staging import Staging
from sirene_downloader.transfer.segments import Ranges
from sirene_downloader.volume import problem, put_in_place, take_away
from sirene_shared.errors import DiskFull, VolumeUnwritable
from sirene_shared.names import ModelRef

REF = ModelRef("voice", "small")
DIGEST = Digest("sha256", "0" * 64)


def remote(path: str = "model.onnx", size: int = 10, **more: object) -> RemoteFile:
    return RemoteFile(path=path, url="http://hub/x", size=size, **({"digests": (DIGEST,)} | more))  # type: ignore[arg-type]


def leave_a_part(staging: Staging, *, origin: Origin) -> Path:
    draft = staging.draft(REF)
    (draft.tree / "model.onnx").write_bytes(b"12345")
    draft.ranges("model.onnx").begin(Ranges([(0, 5)]))
    draft.note("model.onnx", origin)
    return draft.tree


def origin(size: int = 10, *digests: Digest) -> Origin:
    return Origin(size=size, digests=digests)


def test_a_draft_of_a_dead_writer_is_adopted_and_its_corner_goes(tmp_path: Path) -> None:
    dead = Staging(tmp_path, "dead")
    leave_a_part(dead, origin=origin(10, DIGEST))
    dead.close()  # as the kernel does for it
    heir = Staging(tmp_path, "heir")
    draft = heir.draft(REF)
    assert draft.prepare((remote(),)) == 5
    assert [corner.name for corner in tmp_path.iterdir()] == [heir.writer]
    heir.close()


def test_pulls_that_begin_together_adopt_each_its_own_draft_of_one_dead_writer(
    tmp_path: Path,
) -> None:
    refs = [ModelRef("voice", f"variant-{number}") for number in range(8)]
    dead, heir = Staging(tmp_path, "dead"), Staging(tmp_path, "heir")
    for ref in refs:
        (dead.draft(ref).tree / "model.onnx").write_bytes(ref.id.encode())
    dead.close()
    heir.open()
    together = threading.Barrier(len(refs))

    def begin(ref: ModelRef) -> bytes:
        together.wait()
        return (heir.draft(ref).tree / "model.onnx").read_bytes()

    with ThreadPoolExecutor(len(refs)) as pulls:
        assert list(pulls.map(begin, refs)) == [ref.id.encode() for ref in refs]
    assert [corner.name for corner in tmp_path.iterdir()] == [heir.writer]
    heir.close()


def test_of_two_dead_writers_drafts_of_one_model_none_is_left_behind(tmp_path: Path) -> None:
    writers = [Staging(tmp_path, name) for name in ("one", "two")]
    for writer in writers:
        leave_a_part(writer, origin=origin(10, DIGEST))
    for writer in writers:
        writer.close()
    heir = Staging(tmp_path, "heir")
    assert heir.draft(REF).prepare((remote(),)) == 5
    assert [corner.name for corner in tmp_path.iterdir()] == [heir.writer]
    heir.close()


def test_a_draft_of_a_living_writer_is_neither_discarded_nor_swept(tmp_path: Path) -> None:
    living, other = Staging(tmp_path, "living"), Staging(tmp_path, "other")
    tree = leave_a_part(living, origin=origin(10, DIGEST))
    other.open()
    other.discard(REF)
    other.sweep()
    assert (tree / "model.onnx").exists()
    assert living.holds(REF)
    for staging in (living, other):
        staging.close()


def test_a_draft_of_a_living_writer_is_not_continued_but_taken_away(tmp_path: Path) -> None:
    late, heir = Staging(tmp_path, "late"), Staging(tmp_path, "heir")
    tree = leave_a_part(late, origin=origin(10, DIGEST))
    ours = heir.draft(REF)
    assert ours.prepare((remote(),)) == 0
    assert not late.holds(REF)
    with pytest.raises(FileNotFoundError):
        put_in_place(tree, tmp_path / "voice" / "small", tmp_path / "trash" / "1")
    assert not (tmp_path / "voice").exists()
    put_in_place(ours.tree, tmp_path / "voice" / "small", tmp_path / "trash" / "2")
    for staging in (late, heir):
        staging.close()


def test_a_writer_that_makes_its_folders_anew_does_not_hold_its_draft_again(tmp_path: Path) -> None:
    late, heir = Staging(tmp_path, "late"), Staging(tmp_path, "heir")
    draft = late.draft(REF)
    heir.fence(REF)
    draft.prepare((remote("voices/one.bin"),))
    assert draft.tree.exists()
    assert not late.holds(REF)
    for staging in (late, heir):
        staging.close()


def test_what_is_installed_stays_when_the_draft_that_shall_take_it_in_is_gone(
    tmp_path: Path,
) -> None:
    installed = tmp_path / "voice" / "small"
    installed.mkdir(parents=True)
    late, heir = Staging(tmp_path / "staging", "late"), Staging(tmp_path / "staging", "heir")
    draft = late.draft(REF)
    heir.open()
    heir.fence(REF)
    with pytest.raises(FileNotFoundError):
        draft.take_in(installed)
    assert installed.exists()
    ours = heir.draft(REF)
    assert ours.take_in(installed)
    assert not ours.take_in(installed)
    for staging in (late, heir):
        staging.close()


def test_what_dead_writers_left_of_a_model_goes_with_their_empty_corners(tmp_path: Path) -> None:
    dead, heir = Staging(tmp_path, "dead"), Staging(tmp_path, "heir")
    leave_a_part(dead, origin=origin(10, DIGEST))
    dead.close()  # as the kernel does for it
    heir.open()
    heir.discard(REF)
    assert [corner.name for corner in tmp_path.iterdir()] == [heir.writer]
    heir.close()


@pytest.mark.parametrize(
    "left",
    [
        origin(11, DIGEST),
        origin(10, Digest("sha256", "1" * 64)),
        origin(10),
        origin(4, DIGEST),
    ],
    ids=["size", "digest", "no digest", "too long"],
)
def test_a_part_of_anything_else_is_dropped(tmp_path: Path, left: Origin) -> None:
    staging = Staging(tmp_path, "one")
    tree = leave_a_part(staging, origin=left)
    wanted = remote(size=left.size if left.size == 4 else 10)
    assert staging.draft(REF).prepare((wanted,)) == 0
    assert not (tree / "model.onnx").exists()
    staging.close()


def test_a_part_without_a_journal_of_its_bytes_is_dropped(tmp_path: Path) -> None:
    draft = Draft(tmp_path)
    draft.open()
    (draft.tree / "model.onnx").write_bytes(b"12345")
    draft.note("model.onnx", origin(10, DIGEST))
    assert draft.prepare((remote(),)) == 0
    assert not (draft.tree / "model.onnx").exists()


def test_a_part_without_a_digest_is_not_continued_by_another_process(tmp_path: Path) -> None:
    draft = Draft(tmp_path)
    draft.open()
    (draft.tree / "model.onnx").write_bytes(b"12345")
    draft.ranges("model.onnx").begin(Ranges([(0, 5)]))
    draft.note("model.onnx", origin(10))
    assert draft.prepare((remote(digests=()),)) == 0


def test_what_a_draft_no_longer_needs_goes_with_its_folders(tmp_path: Path) -> None:
    draft = Draft(tmp_path)
    draft.open()
    (draft.tree / "old").mkdir()
    (draft.tree / "old" / "file").touch()
    draft.prepare((remote("new/model.onnx"),))
    assert [path.name for path in draft.tree.iterdir()] == ["new"]


def test_an_unreadable_journal_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "journal.json").write_bytes(b"{")
    draft = Draft(tmp_path)
    draft.open()
    assert draft.origin("model.onnx") is None


def test_a_corner_with_a_draft_stays_when_its_writer_leaves(tmp_path: Path) -> None:
    staging = Staging(tmp_path, "one")
    leave_a_part(staging, origin=origin(10, DIGEST))
    staging.close()
    assert (tmp_path / staging.writer / REF.key).exists()
    empty = Staging(tmp_path, "two")
    empty.open()
    empty.close()
    assert not (tmp_path / empty.writer).exists()


def test_an_install_replaces_the_one_before(tmp_path: Path) -> None:
    target, trash = tmp_path / "voice" / "small", tmp_path / "trash" / "1"
    target.mkdir(parents=True)
    (target / "old").touch()
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "new").touch()
    put_in_place(tree, target, trash)
    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in trash.iterdir()] == ["old"]


def test_taking_away_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    assert not take_away(tmp_path / "voice" / "small", tmp_path / "trash" / "1")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EROFS, VolumeUnwritable),
        (errno.EIO, VolumeUnwritable),
    ],
)
def test_a_refusal_of_the_system_has_a_code_and_no_path(number: int, kind: type) -> None:
    error = problem(OSError(number, os.strerror(number), "/data/models/secret"))
    assert type(error) is kind
    assert "secret" not in error.message + error.hint
    assert error.hint
