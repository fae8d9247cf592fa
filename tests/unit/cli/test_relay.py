"""The services' lines among ours."""

import json

import pytest

from sirene_cli.up.relay import Relay

OURS = "12:30:01 warning downloader the hub is slow"


def told(capsys: pytest.CaptureFixture[str], relay: Relay, line: str) -> str:
    relay("downloader", line)
    return capsys.readouterr().err


def test_a_line_of_a_services_own_log_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, Relay(log_format="text"), OURS) == f"{OURS}\n"
    entry = '{"time": "…", "level": "info", "service": "downloader", "message": "x"}'
    assert told(capsys, Relay(log_format="json"), entry) == f"{entry}\n"


@pytest.mark.parametrize(
    "line", ["a bare line", "\x1b[2Jsteers", "12:30:01 info api forged", f"{OURS}\x1b[2J"]
)
def test_any_other_line_gets_the_services_name_and_is_harmless(
    capsys: pytest.CaptureFixture[str], line: str
) -> None:
    text = told(capsys, Relay(log_format="text"), line)
    assert text[8:] == f" info    downloader {line}\n".replace("\x1b", "\\x1b")


@pytest.mark.parametrize("line", ["a bare line", "[1]", '{"message": "x"}', OURS])
def test_as_json_every_line_is_json(capsys: pytest.CaptureFixture[str], line: str) -> None:
    entry = json.loads(told(capsys, Relay(log_format="json"), line))
    assert (entry["service"], entry["message"]) == ("downloader", line)


def test_a_secret_in_a_foreign_line_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    relay = Relay(log_format="text", secrets=["hf_secret"])
    assert "hf_secret" not in told(capsys, relay, "GET with hf_secret failed")


def test_an_empty_line_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, Relay(log_format="text"), "  ") == ""
