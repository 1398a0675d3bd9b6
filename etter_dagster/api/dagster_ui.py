"""Dagster's UI for people, under `/dagster`: who gets it, its page and files.

Dagster's webserver has no authentication, so that it stays on a private address and people come
through here. The UI shows every company's roles and cannot be cut down to some: it needs a key (or
its page session) for all companies. With the scope `admin` one may do everything, with any other
only look. What is not listed here is refused. Its GraphQL is in `dagster_ui_graphql.py`, the
WebSocket in `dagster_socket.py`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from etter_dagster.api.access import ADMIN, READ, Caller, authenticate
from etter_dagster.api.dagster_ui_graphql import ask_for_ui
from etter_dagster.api.dagster_upstream import DagsterUpstream
from etter_dagster.api.runtime import runtime_of
from etter_dagster.model.errors import ErrorCode, EtterError, NotFound
from etter_dagster.origins import names_other_site

PREFIX = "/dagster"
# Of Dagster's webserver: writing without GraphQL, and files of the code's machine.
_NEVER = {
    "report_asset_materialization",
    "report_asset_check",
    "report_asset_observation",
    "notebook",
    "dagit",
}
_ADMIN_ONLY = {"download_debug"}  # everything about a run, config included, in one file
_ASKED = {
    "accept",
    "accept-encoding",
    "accept-language",
    "if-modified-since",
    "if-none-match",
    "range",
}
_ANSWERED = {
    "accept-ranges",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-range",
    "content-security-policy",
    "content-type",
    "etag",
    "last-modified",
    "referrer-policy",
    "vary",
    "x-content-type-options",
}
# Where the UI's page says under which path it is served.
_PREFIXED = r'(__webpack_public_path__ = "|"pathPrefix": "|"assetPrefix":"|(?:href|src)=")'


async def viewer_of(connection: HTTPConnection) -> Caller:
    """Who looks at Dagster's UI.

    Args:
        connection: A request, or a WebSocket.

    Raises:
        EtterError: `UNAUTHORIZED`, `FORBIDDEN`.
    """
    caller = await authenticate(connection)
    caller.require(READ)
    caller.require_every_company()
    if names_other_site(connection.headers):
        # A browser lets any page open a WebSocket anywhere; only it knows which page did.
        raise EtterError(ErrorCode.FORBIDDEN, "requests from pages of other sites are not taken")
    return caller


async def dagster_ui(request: Request) -> Response:
    """Answers what a browser asks of the UI.

    Raises:
        EtterError: `UNAUTHORIZED`, `FORBIDDEN`, `NOT_FOUND`, `STORE_UNAVAILABLE`.
    """
    caller = await viewer_of(request)
    opened = await runtime_of(request).opened()
    path = request.path_params.get("path")
    prefix = request.scope.get("root_path", "") + PREFIX
    if path is None:
        return RedirectResponse(f"{prefix}/", status_code=307)
    first, *_ = parts = path.split("/")
    # A proxy before Dagster may read such a path as another one.
    if "" in parts[:-1] or {".", ".."} & set(parts) or "\\" in path:
        raise NotFound("this path")
    if first == "graphql":
        return await ask_for_ui(request, caller, opened)
    if first in _NEVER or (first in _ADMIN_ONLY and not caller.may(ADMIN)):
        raise EtterError(ErrorCode.FORBIDDEN, "this part of Dagster is not reached through Etter")
    if request.method not in ("GET", "HEAD"):
        raise EtterError(ErrorCode.METHOD_NOT_ALLOWED, "this path is for looking: use GET")
    return await _file(request, opened.dagster, path, prefix)


async def _file(request: Request, dagster: DagsterUpstream, path: str, prefix: str) -> Response:
    headers = {name: value for name, value in request.headers.items() if name in _ASKED}
    answer = await dagster.send(
        request.method,
        f"/{quote(path)}",
        headers={"accept-encoding": "identity", **headers},
        params=list(request.query_params.multi_items()),
    )
    kept = {name: value for name, value in answer.headers.items() if name in _ANSWERED}
    kept["X-Frame-Options"] = "DENY"
    if answer.is_redirect:  # it would name Dagster's own address
        await answer.aclose()
        raise NotFound("this path")
    if answer.headers.get("content-type", "").startswith("text/html"):
        text = (await dagster.body(answer)).decode("utf-8", "replace")
        for name in ("content-length", "content-encoding"):
            kept.pop(name, None)
        return Response(served_under(text, dagster.path, prefix), answer.status_code, kept)
    return StreamingResponse(_chunks(answer), answer.status_code, kept)


def served_under(page: str, own: str, prefix: str) -> str:
    """The UI's page with another path prefix than Dagster's webserver gave it.

    Args:
        page: HTML.
        own: The prefix that the webserver has, perhaps none.
        prefix: The one under which browsers come here.
    """
    return re.sub(
        rf'{_PREFIXED}{re.escape(own)}(?=/|")',
        lambda found: found[1] + prefix,
        page,
    )


async def _chunks(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()
