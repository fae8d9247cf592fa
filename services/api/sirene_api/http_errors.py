"""The one table from an error's code to its HTTP status, and the body that every error has."""

from typing import NamedTuple

from sirene_api.views import ErrorBody
from sirene_shared.errors import Failure, SireneError

# The OpenAI SDK honours Retry-After up to 60 s in its older versions, and gives up if it is longer.
RETRY_AFTER_S = 5
LONGEST_RETRY_AFTER_S = 60


class Answer(NamedTuple):
    """How HTTP says it: the status, and OpenAI's word for the kind of error."""

    status: int
    type: str


ANSWERS = {
    "internal_error": Answer(500, "server_error"),
    "request_error": Answer(400, "invalid_request_error"),
    "invalid_request": Answer(400, "invalid_request_error"),
    "cross_site_request": Answer(403, "permission_error"),
    "voice_not_found": Answer(400, "invalid_request_error"),
    "model_error": Answer(500, "server_error"),
    "model_not_found": Answer(404, "not_found_error"),
    "variant_not_found": Answer(404, "not_found_error"),
    "model_not_installed": Answer(404, "not_found_error"),
    "model_damaged": Answer(409, "conflict_error"),
    "model_in_use": Answer(409, "conflict_error"),
    "pull_not_found": Answer(404, "not_found_error"),
    "files_refused": Answer(422, "invalid_request_error"),
    "upload_broken": Answer(502, "server_error"),
    "invalid_manifest": Answer(500, "server_error"),
    "pull_error": Answer(500, "server_error"),
    "disk_full": Answer(507, "server_error"),
    "volume_unwritable": Answer(500, "server_error"),
    "hub_file_missing": Answer(502, "upstream_error"),
    "hub_unauthorized": Answer(502, "upstream_error"),
    "hub_token_refused": Answer(502, "upstream_error"),
    "hub_forbidden": Answer(502, "upstream_error"),
    "hub_rate_limited": Answer(503, "overloaded_error"),
    "hub_unavailable": Answer(503, "upstream_error"),
    "hub_offline": Answer(502, "upstream_error"),
    "origin_refused": Answer(502, "upstream_error"),
    "size_mismatch": Answer(502, "upstream_error"),
    "hash_mismatch": Answer(502, "upstream_error"),
    "lease_lost": Answer(503, "server_error"),
    "pull_cancelled": Answer(409, "conflict_error"),
    "speech_error": Answer(500, "server_error"),
    "models_busy": Answer(503, "overloaded_error"),
    "model_loading": Answer(503, "overloaded_error"),
    "model_too_large": Answer(507, "server_error"),
    "load_failed": Answer(500, "server_error"),
    "backend_missing": Answer(501, "server_error"),
    "no_replica": Answer(503, "server_error"),
    "runner_crashed": Answer(502, "server_error"),
    "runner_unstable": Answer(503, "server_error"),
    "out_of_memory": Answer(503, "overloaded_error"),
    "speech_failed": Answer(500, "server_error"),
    "audio_lost": Answer(502, "server_error"),
    "bus_unavailable": Answer(503, "server_error"),
}

# What is wrong with a request before it has reached a route of ours: status -> code and type.
PLAIN_CODES = {
    400: ("invalid_request", "invalid_request_error"),
    404: ("not_found", "not_found_error"),
    405: ("method_not_allowed", "invalid_request_error"),
    411: ("length_required", "invalid_request_error"),
    413: ("payload_too_large", "invalid_request_error"),
    415: ("unsupported_media_type", "invalid_request_error"),
}


def answer_to(code: str) -> Answer:
    """A code of a newer service, unknown here, is answered like an internal error."""
    return ANSWERS.get(code, ANSWERS["internal_error"])


def body_of(failure: Failure) -> ErrorBody:
    return ErrorBody(
        message=failure.message,
        type=answer_to(failure.code).type,
        code=failure.code,
        param=failure.param,
        hint=failure.hint,
    )


def plain_body(status: int, message: str, *, param: str | None = None, hint: str = "") -> ErrorBody:
    """For what the HTTP layer itself refuses."""
    code, kind = PLAIN_CODES.get(status, ("request_error", "invalid_request_error"))
    return ErrorBody(message=message, type=kind, code=code, param=param, hint=hint)


def headers_of(error: SireneError) -> dict[str, str]:
    """Retry-After on a 503 or where a time is known, and whether the OpenAI SDK is to try again."""
    status = answer_to(error.code).status
    headers = {}
    if status == 503 or error.retry_after_s:
        wait_s = error.retry_after_s or RETRY_AFTER_S
        headers["retry-after"] = str(max(1, min(wait_s, LONGEST_RETRY_AFTER_S)))
    if status >= 409:
        headers["x-should-retry"] = "true" if error.retryable else "false"
    return headers
