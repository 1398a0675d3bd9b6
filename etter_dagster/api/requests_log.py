"""The log line and the trace id of a request."""

from __future__ import annotations

import logging
import re
import secrets
import time

from starlette.requests import Request
from starlette.responses import Response

from etter_dagster.logs import REQUESTS, log_ids

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
log = logging.getLogger(REQUESTS)


def trace_of(request: Request) -> str:
    """The trace that a request is part of: the caller's (W3C `traceparent`), or a new one.

    Args:
        request: The request.
    """
    found = _TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    return found.group(1) if found else secrets.token_hex(8)


def log_request(request: Request, route: str, response: Response, started: float) -> None:
    """Logs what was asked and answered, and tells the caller the trace id.

    Args:
        request: The request.
        route: Its template: paths hold names of roles.
        response: The answer.
        started: `time.perf_counter()` at the start.
    """
    response.headers["X-Trace-Id"] = log_ids()["trace_id"]
    if not log.isEnabledFor(logging.INFO):
        return
    caller = getattr(request.state, "caller", None)
    fields = {
        "method": request.method,
        "route": route,
        "status": response.status_code,
        "duration_ms": round(1000 * (time.perf_counter() - started), 1),
        "key_id": caller.key_id if caller is not None else None,
    }
    log.info("%s %s %d", request.method, route, response.status_code, extra={"fields": fields})
