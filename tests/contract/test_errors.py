"""The error tree is its docstring, and an error survives the wire."""

import re

import msgspec
import pytest

from sirene_shared import errors
from sirene_shared.errors import BY_CODE, Failure, SireneError, tree

KINDS = [kind for kind in tree() if kind.__module__ == errors.__name__]


def test_the_docstring_draws_every_error_with_its_code() -> None:
    assert errors.__doc__ is not None
    drawn = dict(re.findall(r"[├└]── (\w+) +(\w+)$", errors.__doc__, re.MULTILINE))
    leaves = {kind.__name__: kind.code for kind in KINDS if not kind.__subclasses__()}
    assert drawn == leaves


def test_no_two_errors_share_a_code() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_comes_back_from_the_wire_as_what_it_was(kind: type[SireneError]) -> None:
    sent = kind("it broke", hint="mend it", param="voice", retry_after_s=3)
    body = msgspec.json.encode(sent.failure())
    back = msgspec.json.decode(body, type=Failure).error()
    assert type(back) is kind
    assert back.failure() == sent.failure()


def test_a_code_of_a_newer_version_is_kept() -> None:
    newer = Failure(code="from_the_future", message="?", retryable=True)
    assert "from_the_future" not in BY_CODE
    assert newer.error().failure() == newer
