"""Every error of ours has an HTTP status, and one shape."""

from pathlib import Path

import pytest

from sirene_api.http_errors import ANSWERS, answer_to, body_of, headers_of
from sirene_shared.errors import Failure, SireneError, tree

# Tests may have loaded errors of other packages; what crosses the bus is in this module.
OURS = sorted(
    (kind for kind in tree() if kind.__module__ == "sirene_shared.errors"),
    key=lambda kind: kind.code,
)
GIVE_UP_S = 60
DOCS = Path(__file__).parents[2] / "docs" / "http-api.md"


def test_each_error_has_a_status() -> None:
    assert {kind.code for kind in OURS} == set(ANSWERS)


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.code)
def test_an_error_says_whether_and_when_to_try_again(kind: type[SireneError]) -> None:
    error = kind("it happened", hint="do this", param="model", retry_after_s=900)
    status, word = answer_to(kind.code)
    assert 400 <= status < 600
    body = body_of(error.failure())
    assert (body.message, body.type, body.code) == ("it happened", word, kind.code)
    assert (body.param, body.hint) == ("model", "do this")
    headers = headers_of(error)
    if status == 503:
        assert 0 < int(headers["retry-after"]) <= GIVE_UP_S
    if status >= 500:
        assert headers["x-should-retry"] == str(kind.retryable).lower()
    if kind.retryable:
        assert status in (502, 503)


def test_the_documentation_has_the_same_table() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for code, (status, word) in ANSWERS.items():
        assert f"| `{code}` | {status} | `{word}` |" in text


def test_a_code_of_a_newer_service_is_answered_all_the_same() -> None:
    failure = Failure(code="from_the_future", message="what?")
    assert answer_to(failure.code).status == 500
    assert body_of(failure).code == "from_the_future"
