"""Every exception as an answer of the one shape."""

import logging
import re
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from sirene_api.http_errors import answer_to, body_of, headers_of, plain_body
from sirene_api.views import ErrorAnswer, ErrorBody
from sirene_shared.errors import SireneError

log = logging.getLogger(__name__)

AnyRequest = Request[Any, Any, Any]

# As the decoder says it; without a match the answer only lacks the field's name.
MISSING_FIELD = re.compile(r"required field `(\w+)`")
MESSAGES = {
    400: "the request is malformed",
    404: "there is nothing under this path",
    405: "this path does not take that method",
    411: "a file comes with its Content-Length",
    413: "the request body is too large",
    415: "a request body here is JSON",
}
HINTS = {404: "GET /schema lists the routes.", 405: "GET /schema lists the routes."}


def _answer(status: int, error: ErrorBody, headers: dict[str, str]) -> Response[ErrorAnswer]:
    return Response(
        ErrorAnswer(error=error),
        status_code=status,
        headers=headers,
        media_type="application/json",
    )


def on_sirene_error(_: AnyRequest, error: SireneError) -> Response[ErrorAnswer]:
    status = answer_to(error.code).status
    if status >= 500 and not error.retryable:
        log.warning("%s: %s", error.code, error.message)
    return _answer(status, body_of(error.failure()), headers_of(error))


def on_validation_error(_: AnyRequest, error: ValidationException) -> Response[ErrorAnswer]:
    """A field, parameter or body of the wrong type."""
    extra = error.extra if isinstance(error.extra, list) else []
    first = extra[0] if extra and isinstance(extra[0], dict) else {}
    param = str(first["key"]) if "key" in first else None
    detail = str(first.get("message") or "the request does not fit")
    if param == "data":  # the framework's name for the body as a whole
        missing = MISSING_FIELD.search(detail)
        param = missing[1] if missing else None
        told = f"{param!r} is missing" if param else "this request needs a JSON object as its body"
        return _answer(400, plain_body(400, told, param=param), {})
    message = f"{param}: {detail}" if param else detail
    return _answer(400, plain_body(400, message, param=param), {})


def on_http_error(_: AnyRequest, error: HTTPException) -> Response[ErrorAnswer]:
    """What the framework refuses: unknown paths, methods, bodies."""
    status = error.status_code
    if status >= 500:
        log.error("%r", error, exc_info=error)
    message = MESSAGES.get(status) or ("the request failed" if status < 500 else INTERNAL)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    body = plain_body(status, message, hint=HINTS.get(status, ""))
    if status >= 500:
        body = body_of(SireneError(message).failure())
    return _answer(status, body, headers)


def on_malformed(_: AnyRequest, error: Exception) -> Response[ErrorAnswer]:
    """A body that is no JSON, no UTF-8, or nested without end."""
    return _answer(400, plain_body(400, "the body is not well-formed JSON"), {})


INTERNAL = "something went wrong here; the log of the server says more"


def on_surprise(request: AnyRequest, error: Exception) -> Response[ErrorAnswer]:
    log.error("%s %s failed", request.method, request.scope["path"], exc_info=error)
    surprise = SireneError(INTERNAL)
    return _answer(500, body_of(surprise.failure()), headers_of(surprise))


HANDLERS: ExceptionHandlersMap = {
    SireneError: on_sirene_error,
    ValidationException: on_validation_error,
    HTTPException: on_http_error,
    msgspec.MsgspecError: on_malformed,
    UnicodeDecodeError: on_malformed,
    RecursionError: on_malformed,
    Exception: on_surprise,
}
