"""In which order the origins of a file are tried, and when the next one is."""

import logging
from collections.abc import Callable

import pytest

from sirene_downloader.settings import Limits
from sirene_downloader.sources import HASTY_ATTEMPTS, Sources
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
