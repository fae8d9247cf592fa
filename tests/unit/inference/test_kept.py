"""What is kept from load to load: never trusted when damaged, never more than its limit."""

import os
import stat
from pathlib import Path

import pytest

from sirene_inference.kept import Kept

LIMIT = 10_000


class Maker:
    """Makes something, and counts how often it had to."""

    def __init__(self, made: bytes = b"made" * 100) -> None:
        self.made = made
        self.calls = 0

    def __call__(self) -> bytes:
        self.calls += 1
        return self.made


def get(kept: Kept, source: bytes, purpose: str, make: Maker) -> bytes:
    """As of the second load."""
    kept.get(source, purpose, bytes, make, bytes)
    return kept.get(source, purpose, bytes, make, bytes)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "kept", LIMIT)


def entries(kept: Kept) -> list[Path]:
    return sorted(kept.folder.iterdir())


def test_what_was_made_once_is_not_made_again(kept: Kept) -> None:
    make = Maker()
    assert [get(kept, b"model", "graph 1", make) for _ in range(3)] == [make.made] * 3
    assert make.calls == 1
    # Another process of this service finds it too.
    assert get(Kept(kept.folder, LIMIT), b"model", "graph 1", make) == make.made
    assert make.calls == 1
    assert stat.S_IMODE(kept.folder.stat().st_mode) == 0o700


def test_what_is_loaded_once_is_not_kept(kept: Kept) -> None:
    make = Maker()
    heard = [kept.get(b"model", "1", bytes, make, lambda: b"plain") for _ in range(3)]
    assert heard == [b"plain", make.made, make.made]
    assert make.calls == 1
    assert len(entries(kept)) == 1


def test_another_model_or_another_engine_has_its_own(kept: Kept) -> None:
    for source, purpose in ((b"model", "1"), (b"models", "1"), (b"model", "2")):
        make = Maker(source + purpose.encode())
        assert get(kept, source, purpose, make) == make.made
        assert make.calls == 1


def test_a_damaged_entry_is_made_again(kept: Kept) -> None:
    make = Maker()
    get(kept, b"model", "1", make)
    (entry,) = entries(kept)
    whole = entry.read_bytes()
    for at in (0, 9, 45, len(whole) - 1):
        flipped = bytearray(whole)
        flipped[at] ^= 1
        for body in (bytes(flipped), whole[:at], b""):
            entry.write_bytes(body)
            calls = make.calls
            assert get(kept, b"model", "1", make) == make.made
            assert make.calls == calls + 1
            assert entry.read_bytes() == whole


def test_an_entry_of_another_kind_is_made_again(kept: Kept) -> None:
    for _ in range(2):
        kept.get(b"model", "1", int, lambda: 7, int)
    make = Maker()
    assert get(kept, b"model", "1", make) == make.made
    assert make.calls == 1


def test_the_folder_stays_within_its_limit_and_what_is_used_stays(kept: Kept) -> None:
    often = Maker(b"o" * 3000)
    get(kept, b"often", "1", often)
    for number in range(8):
        get(kept, b"other %d" % number, "1", Maker(b"x" * 3000))
        for entry in entries(kept):  # as if a minute had passed
            found = entry.stat()
            os.utime(entry, (found.st_atime - 60, found.st_mtime - 60))
        get(kept, b"often", "1", often)
        assert sum(entry.stat().st_size for entry in entries(kept)) <= LIMIT
    assert often.calls == 1
    get(kept, b"too large", "1", Maker(b"x" * (LIMIT + 1)))
    assert sum(entry.stat().st_size for entry in entries(kept)) <= LIMIT


def test_what_a_killed_runner_left_is_cleared_away(kept: Kept) -> None:
    kept.folder.mkdir(mode=0o700)
    old, young, folder = (kept.folder / f"{name}.unfinished" for name in ("old", "young", "folder"))
    folder.mkdir()
    for path in (old, young, folder / "graph.onnx"):
        path.write_bytes(b"half")
    for path in (old, folder):
        os.utime(path, (0, 0))
    get(kept, b"model", "1", Maker())
    assert [path for path in (old, young, folder) if path.exists()] == [young]


def test_a_folder_that_others_may_write_to_is_not_used(kept: Kept) -> None:
    make = Maker()
    get(kept, b"model", "1", make)
    kept.folder.chmod(0o777)
    assert get(kept, b"model", "1", make) == b""
    assert make.calls == 1


def test_where_nothing_can_be_kept_everything_still_works(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    make = Maker()
    for _ in range(2):
        assert get(Kept(file / "kept", LIMIT), b"model", "1", make) == b""
    assert make.calls == 0
