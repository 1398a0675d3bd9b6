"""Every exception as the contract's error body; nothing else ever leaves as an error.

The routes call it (`routing.py`), since a router that is mounted in somebody else's app cannot
count on that app's handlers; our own app calls it for what no route answers.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from etter_dagster.logs import log_ids
from etter_dagster.model.errors import ErrorCode, EtterError, FieldProblem

log = logging.getLogger(__name__)
_PLAIN = {
    "missing": "is missing; give it",
    "extra_forbidden": "is not a known field; remove it",
    "string_unicode": "holds a NUL character or a lone surrogate; remove it",
    "json_invalid": "is not JSON",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}
_MAX_FIELD = 300
MAX_PROBLEMS = 20  # that an answer names; a hostile body has hundreds of thousands
_BY_STATUS = {
    401: ErrorCode.UNAUTHORIZED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.PAYLOAD_TOO_LARGE,
    415: ErrorCode.UNSUPPORTED_MEDIA_TYPE,
}
_BY_STATUS_MESSAGE = {
    404: "there is nothing at this path; see the routes at /docs",
    405: "this path does not take this method; the header Allow names those it takes",
}


class JsonBody(Response):
    """JSON; a lone surrogate in it is escaped, where the stock response would fail."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The body."""
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


def error_response(error: Exception) -> Response:
    """The response for any exception.

    Args:
        error: What was raised.
    """
    known = as_etter_error(error)
    headers: dict[str, str] = {}
    if isinstance(error, HTTPException) and error.headers:
        headers |= error.headers
    if known.retry_after is not None:
        headers["Retry-After"] = str(known.retry_after)
    if known.code is ErrorCode.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JsonBody({"detail": known.body()}, status_code=known.http_status, headers=headers)


def as_etter_error(error: Exception) -> EtterError:
    """The exception with a code of the contract; a bug gets a trace id and is logged with it.

    Args:
        error: What was raised.
    """
    if isinstance(error, EtterError) and error.code is not ErrorCode.INTERNAL_ERROR:
        return error
    if isinstance(error, RequestValidationError):
        return invalid(error.errors())
    if isinstance(error, HTTPException) and error.status_code < 500:
        return _of_http(error)
    return _bug(error)


def invalid(problems: Sequence[Mapping[str, Any]], *, prefix: str = "") -> EtterError:
    """A `VALIDATION_ERROR` that names every field, from what pydantic found.

    Args:
        problems: `ValidationError.errors()`.
        prefix: What the fields are of.
    """
    fields = [
        FieldProblem(".".join(filter(None, (prefix, _field(p["loc"])))), _message(p))
        for p in problems[:MAX_PROBLEMS]
    ]
    # A matter of the text, not of the type: 400, as for other bad characters.
    only_text = all(problem["type"] == "string_unicode" for problem in problems)
    return EtterError(
        ErrorCode.VALIDATION_ERROR,
        "; ".join(f"{field.field}: {field.message}" for field in fields),
        fields=fields,
        http_status=400 if only_text else 422,
    )


def unprocessable(field: str, message: str) -> EtterError:
    """A `VALIDATION_ERROR` with 422 for one field."""
    problem = FieldProblem(field, message)
    return EtterError(
        ErrorCode.VALIDATION_ERROR, f"{field}: {message}", fields=[problem], http_status=422
    )


def _field(location: Sequence[int | str]) -> str:
    parts = [str(p) if isinstance(p, str) else f"[{p}]" for p in location]
    if parts and parts[0] in ("body", "query", "path", "header"):
        kind = parts.pop(0)
        if not parts or (kind == "body" and len(parts) == 1 and parts[0].startswith("[")):
            return kind  # the body as a whole, or a place in text that is not JSON
    name = ".".join(parts).replace(".[", "[")
    # A name that we do not know came from the caller: it may be anything.
    return name.encode("utf-8", "backslashreplace").decode()[:_MAX_FIELD]


def _message(problem: Mapping[str, Any]) -> str:
    text = _PLAIN.get(problem["type"], str(problem["msg"]))
    if "Expected UploadFile" in text:
        return "is no file; send it as one, with a file name"
    if problem["type"] == "json_invalid":
        text += f": {problem.get('ctx', {}).get('error', '')}"
    return text.removeprefix("Value error, ")


def _of_http(error: HTTPException) -> EtterError:
    code = _BY_STATUS.get(error.status_code)
    if code is None:  # FastAPI's 400 for a body that cannot be parsed at all
        return unprocessable("body", "is not JSON in UTF-8")
    return EtterError(code, _BY_STATUS_MESSAGE.get(error.status_code, str(error.detail)))


def _bug(error: Exception) -> EtterError:
    trace_id = log_ids().get("trace_id") or secrets.token_hex(8)
    log.error("unexpected error, trace id %s", trace_id, exc_info=error)
    return EtterError(
        ErrorCode.INTERNAL_ERROR,
        f"something went wrong here; give the trace id {trace_id} to whoever runs Etter",
        detail={"trace_id": trace_id},
    )
