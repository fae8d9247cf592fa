"""No two reasons for a refusal read alike."""

import pytest

from sirene_downloader.refusal import refusal

CASES = [
    (401, "RepoNotFound", False, "hub_unauthorized"),
    (401, "GatedRepo", False, "hub_unauthorized"),
    (401, "", True, "hub_token_refused"),
    (403, "GatedRepo", True, "hub_forbidden"),
    (403, "", True, "hub_forbidden"),
    (404, "RepoNotFound", False, "hub_file_missing"),
    (404, "RevisionNotFound", False, "hub_file_missing"),
    (404, "EntryNotFound", False, "hub_file_missing"),
]


@pytest.mark.parametrize(("status", "reason", "has_token", "code"), CASES)
def test_a_refusal_has_its_code(status: int, reason: str, has_token: bool, code: str) -> None:
    error = refusal(status, reason, "model.onnx", has_token=has_token)
    assert error.code == code
    assert not error.retryable


def test_each_refusal_has_a_message_and_a_hint_of_its_own() -> None:
    errors = [
        refusal(status, reason, "model.onnx", has_token=has_token)
        for status, reason, has_token, _ in CASES
    ]
    assert len({error.message for error in errors}) == len(CASES)
    assert len({error.hint for error in errors}) == len(CASES)
    assert all("model.onnx" in error.message for error in errors)
