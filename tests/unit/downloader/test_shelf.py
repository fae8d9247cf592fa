"""Files of the volume taken where the filesystem has no links."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sirene_downloader.checking import BLOCK_BYTES
from sirene_downloader.shelf import _copy

# More than one block, and no whole number of them.
CONTENT = random.Random(4).randbytes(BLOCK_BYTES + 12_345)


async def test_a_copy_is_the_file_and_has_a_content_of_its_own(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.write_bytes(CONTENT)
    here.write_bytes(b"an older try, longer than nothing")
    with ThreadPoolExecutor(1) as executor:
        assert await _copy(there, here, executor)
    assert here.read_bytes() == CONTENT
    assert here.stat().st_ino != there.stat().st_ino


async def test_a_file_that_cannot_be_read_is_not_taken(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        assert not await _copy(tmp_path / "gone", tmp_path / "here", executor)
