"""Redirects, refusals, and how often is tried again."""

from contextlib import nullcontext

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from sirene_downloader import request
from sirene_downloader.patience import FORGIVING_BYTES, Patience
from sirene_downloader.request import Interrupted
from sirene_downloader.settings import Limits
from sirene_shared.errors import HubRateLimited, HubUnavailable, SireneError

HTTPS = URL("https://hub.example/acme/voices/resolve/main/model.onnx")
QUICK = Limits(attempts=3, backoff_s=0.001, backoff_max_s=0.002)


def headers(**named: str) -> CIMultiDictProxy[str]:
    pairs = {name.replace("_", "-"): value for name, value in named.items()}
    return CIMultiDictProxy(CIMultiDict(pairs))


def test_a_redirect_goes_on_letter_by_letter() -> None:
    signed = "https://cdn.example/x?sig=a%2Fb%3D&name=%22model%22"
    assert str(request.follow(HTTPS, headers(Location=signed), "x")) == signed
    assert request.follow(HTTPS, headers(Location="/y%20z"), "x").raw_path == "/y%20z"


@pytest.mark.parametrize("place", ["http://hub.example/x", "file:///etc/passwd", "ftp://a/b"])
def test_a_redirect_out_of_https_is_refused(place: str) -> None:
    with pytest.raises(HubUnavailable):
        request.follow(HTTPS, headers(Location=place), "x")


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        (401, "RepoNotFound", "hub_unauthorized"),
        (401, "GatedRepo", "hub_unauthorized"),
        (403, "GatedRepo", "hub_forbidden"),
        (404, "EntryNotFound", "hub_file_missing"),
        (410, "", "hub_file_missing"),
        (400, "", "hub_unavailable"),
    ],
)
def test_a_refusal_is_final_and_says_what_to_do(status: int, reason: str, code: str) -> None:
    with pytest.raises(SireneError) as refused:
        request.check(status, headers(X_Error_Code=reason), "model.onnx")
    assert refused.value.code == code
    assert refused.value.hint


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    with pytest.raises(Interrupted) as interrupted:
        request.check(status, headers(Retry_After="7"), "model.onnx")
    assert interrupted.value.after_s == 7


def test_a_date_to_retry_at_counts_from_the_servers_clock() -> None:
    told = headers(
        Retry_After="Wed, 21 Oct 2015 07:28:30 GMT", Date="Wed, 21 Oct 2015 07:28:00 GMT"
    )
    with pytest.raises(Interrupted) as interrupted:
        request.check(503, told, "model.onnx")
    assert interrupted.value.after_s == 30


async def test_patience_ends_and_then_says_why() -> None:
    patience = Patience(QUICK, nullcontext)
    error = HubUnavailable("gone")
    for _ in range(QUICK.attempts - 1):
        await patience.after(Interrupted(error))
    with pytest.raises(HubUnavailable):
        await patience.after(Interrupted(error))


async def test_progress_renews_patience() -> None:
    patience = Patience(QUICK, nullcontext)
    for _ in range(3 * QUICK.attempts):
        await patience.after(Interrupted(HubUnavailable("gone")))
        patience.moved(FORGIVING_BYTES)


async def test_a_hub_that_asks_for_too_long_a_wait_fails_the_pull_and_says_how_long() -> None:
    patience = Patience(QUICK, nullcontext)
    with pytest.raises(HubRateLimited) as refused:
        await patience.after(Interrupted(HubRateLimited("slow down"), after_s=3600))
    assert refused.value.retry_after_s == 3600
