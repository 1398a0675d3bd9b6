"""`/dagster`: where Dagster's UI is served from, and how a person is told no."""

from __future__ import annotations

import time

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from etter_dagster.api.dagster_socket import dagster_socket
from etter_dagster.api.dagster_ui import PREFIX, dagster_ui
from etter_dagster.api.errors import error_response
from etter_dagster.api.runtime import runtime_of
from etter_dagster.model.errors import EtterError
from etter_dagster.web.login import refused


async def _shown(request: Request) -> Response:
    started = time.perf_counter()
    try:
        response = await dagster_ui(request)
    except EtterError as error:
        by_browser = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        response = refused(request, error) if by_browser else error_response(error)
    except Exception as error:
        response = error_response(error)
    runtime_of(request).metrics.observe(request.method, PREFIX, response.status_code, started)
    return response


router = APIRouter(include_in_schema=False)
for path in (PREFIX, PREFIX + "/{path:path}"):
    router.add_route(path, _shown, methods=["GET", "POST"])
router.add_websocket_route(f"{PREFIX}/graphql", dagster_socket)
