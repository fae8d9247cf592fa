"""A log line is one line, shows no secret, and cannot steer a terminal."""

import json
import logging

import pytest

from sirene_shared.logs import OneLine, mask


def line(message: str, *, as_json: bool = False) -> str:
    formatter = OneLine("api", as_json=as_json, secrets=["hf_secret", ""])
    return formatter.format(logging.LogRecord("x", logging.INFO, "", 1, message, None, None))


@pytest.mark.parametrize("as_json", [False, True])
def test_a_secret_is_masked(as_json: bool) -> None:
    assert "hf_secret" not in line("token hf_secret sent", as_json=as_json)


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("hostile", ["a\r\nforged", "\x1b[31mred", "bidi \u202e text"])
def test_what_a_caller_sends_stays_on_one_plain_line(hostile: str, as_json: bool) -> None:
    text = line(hostile, as_json=as_json)
    assert text.isprintable()


def test_a_json_line_has_what_machines_look_for() -> None:
    fields = json.loads(line("hello", as_json=True))
    assert fields["service"] == "api"
    assert fields["level"] == "info"
    assert fields["message"] == "hello"


def test_a_secret_that_becomes_known_later_is_masked_from_then_on() -> None:
    root, handler = logging.getLogger(), logging.NullHandler()
    handler.setFormatter(OneLine("api", as_json=False))
    root.addHandler(handler)
    try:
        mask("hf_given_later")
        mask("x")
    finally:
        root.removeHandler(handler)
    record = logging.LogRecord("x", logging.INFO, "", 1, "sent hf_given_later, x", None, None)
    assert "sent ***, x" in handler.format(record)
