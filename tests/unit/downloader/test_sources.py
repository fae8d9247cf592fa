"""In which order the origins of a file are tried, and when the next one is."""

import logging
from collections.abc import Callable, Sequence

import pytest

from sirene_downloader.remote import RemoteFile
from sirene_downloader.settings import Limits
from sirene_downloader.sources import HASTY_ATTEMPTS, FileFailed, Sources
from sirene_shared.errors import (
    DiskFull,
    HashMismatch,
    HubFileMissing,
    HubForbidden,
    HubUnauthorized,
    HubUnavailable,
    LeaseLost,
    OriginRefused,
    PullCancelled,
    PullError,
    SizeMismatch,
)

HUB, ONE, TWO = "https://hub.example/x", "https://one.example/x", "https://two.example/x"
ALL = (HUB, ONE, TWO)
LIMITS = Limits()


class Origins:
    """What each answers: an error, or the file."""

    def __init__(self, **errors: PullError) -> None:
        self.errors = {f"https://{name}.example/x": error for name, error in errors.items()}
        self.tries: list[tuple[str, int]] = []
        self.left: list[PullError | None] = []

    async def fetch(self, url: str, limits: Limits, left: PullError | None) -> str:
        self.tries.append((url, limits.attempts))
        self.left.append(left)
        if url in self.errors:
            raise self.errors[url]
        return url


def sources() -> Sources:
    return Sources("https://hub.example", LIMITS)


async def test_the_hub_is_asked_first_and_alone_when_it_answers() -> None:
    origins = Origins()
    assert await sources().first(ALL, origins.fetch) == HUB
    assert origins.tries == [(HUB, HASTY_ATTEMPTS)]


async def test_a_single_origin_gets_all_the_patience() -> None:
    origins = Origins(hub=HubUnavailable("down"))
    with pytest.raises(HubUnavailable):
        await sources().first((HUB,), origins.fetch)
    assert origins.tries == [(HUB, LIMITS.attempts)]


@pytest.mark.parametrize(
    "kind", [HubFileMissing, HubUnavailable, SizeMismatch, HashMismatch, OriginRefused]
)
async def test_a_faulty_origin_is_left_for_the_next(kind: type[PullError]) -> None:
    error = kind("no")
    origins = Origins(hub=error, one=HubForbidden("not here"))
    assert await sources().first(ALL, origins.fetch) == TWO
    assert [url for url, _ in origins.tries] == list(ALL)
    assert origins.left[:2] == [None, error]


@pytest.mark.parametrize(
    "kind", [HubUnauthorized, HubForbidden, DiskFull, LeaseLost, PullCancelled]
)
async def test_what_no_mirror_may_or_can_mend_is_final(kind: type[PullError]) -> None:
    origins = Origins(hub=kind("no"))
    with pytest.raises(kind):
        await sources().first(ALL, origins.fetch)
    assert len(origins.tries) == 1


async def test_when_all_fail_one_that_may_come_back_gets_all_the_patience() -> None:
    origins = Origins(
        hub=HubFileMissing("no"), one=HubUnavailable("down"), two=HubFileMissing("no")
    )
    with pytest.raises(HubUnavailable):
        await sources().first(ALL, origins.fetch)
    assert origins.tries[-1] == (ONE, LIMITS.attempts)


async def test_when_all_fail_for_good_the_first_ones_word_counts() -> None:
    origins = Origins(hub=HashMismatch("a"), one=HubFileMissing("b"), two=HubFileMissing("c"))
    with pytest.raises(HashMismatch):
        await sources().first(ALL, origins.fetch)


@pytest.mark.parametrize(
    ("make", "is_last"), [(HubUnavailable, True), (HashMismatch, True), (HubFileMissing, False)]
)
async def test_an_origin_that_failed_is_asked_last_for_the_next_file(
    make: Callable[[str], PullError], is_last: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "sirene_downloader")
    origins, tried = Origins(hub=make("no")), sources()
    assert await tried.first(ALL, origins.fetch) == ONE
    origins.tries.clear()
    assert await tried.first(ALL, origins.fetch) == ONE
    assert (HUB not in [url for url, _ in origins.tries]) is is_last
    origins.errors = {HUB: make("no"), ONE: make("no"), TWO: make("no")}
    with pytest.raises(PullError):
        await tried.first(ALL, origins.fetch)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == len(set(said)) == len(ALL)


async def test_of_several_files_only_the_one_that_failed_moves_on() -> None:
    """Each mirror has one of two files."""
    lacking = {("https://hub.example", "a"), ("https://hub.example", "b")}
    lacking |= {("https://one.example", "b"), ("https://two.example", "a")}
    rounds: list[dict[str, str]] = []

    async def attempt(
        files: Sequence[RemoteFile], limits: Limits, wrong: frozenset[str]
    ) -> dict[str, str]:
        assert not wrong
        assert limits.attempts == HASTY_ATTEMPTS
        rounds.append({file.path: file.url.rpartition("/")[0] for file in files})
        for file in files:
            if (rounds[-1][file.path], file.path) in lacking:
                raise FileFailed(file.path, HubFileMissing("no"))
        return rounds[-1]

    files = [
        RemoteFile(
            path=path,
            size=1,
            url=f"https://hub.example/{path}",
            fallbacks=(f"https://one.example/{path}", f"https://two.example/{path}"),
        )
        for path in "ab"
    ]
    found = await sources().all(files, attempt)
    assert found == {"a": "https://one.example", "b": "https://two.example"}
    assert len(rounds) == 4


async def test_a_file_that_is_wrong_is_said_to_be_and_its_origin_is_left_for_all() -> None:
    told: list[frozenset[str]] = []
    seen: list[list[str]] = []

    async def attempt(files: Sequence[RemoteFile], limits: Limits, wrong: frozenset[str]) -> None:
        told.append(wrong)
        seen.append([file.url for file in files])
        if len(told) == 1:
            raise FileFailed("a", HashMismatch("altered"))

    files = [RemoteFile(path=path, size=1, url=HUB, fallbacks=(ONE,)) for path in "ab"]
    await sources().all(files, attempt)
    assert told == [frozenset(), frozenset("a")]
    assert seen == [[HUB, HUB], [ONE, ONE]]


async def test_the_last_origin_of_any_file_gets_all_the_patience_and_its_error_is_final() -> None:
    attempts: list[int] = []

    async def attempt(files: Sequence[RemoteFile], limits: Limits, wrong: frozenset[str]) -> None:
        attempts.append(limits.attempts)
        raise FileFailed("a", HubUnavailable("down"))

    with pytest.raises(HubUnavailable):
        await sources().all([RemoteFile(path="a", size=1, url=HUB, fallbacks=(ONE,))], attempt)
    assert attempts == [HASTY_ATTEMPTS, HASTY_ATTEMPTS, LIMITS.attempts]
