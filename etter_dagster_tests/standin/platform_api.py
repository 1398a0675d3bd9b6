"""The platform's taxonomy and documents APIs as they exist today, with every way to fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp

from etter_dagster_tests.standin.app import with_scissors
from etter_dagster_tests.standin.assessment_api import CUT
from etter_dagster_tests.standin.catalogue import (
    DOCUMENT,
    DOCUMENTS,
    DOWNLOAD,
    TAXONOMY,
    PlatformState,
)
from etter_dagster_tests.standin.state import Call, Fault

LINK_SECONDS = 300
_MOST_ROLES = 200
_HOLD_POLL_SECONDS = 0.005
Work = Callable[[Request], Response]


class _Refused(Exception):
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.answer = JSONResponse({"detail": detail}, status)


def create_platform(state: PlatformState) -> ASGIApp:
    """Both APIs in one app.

    Args:
        state: What they hold, and how they fail; shared with the test.
    """
    app = FastAPI(title="Stand-in of the platform", docs_url=None, redoc_url=None)
    works: dict[str, tuple[str, Work]] = {
        TAXONOMY: ("/api/taxonomy/roles", lambda request: _taxonomy(state, request)),
        DOCUMENTS: ("/api/documents/", lambda request: _documents(state, request)),
        DOCUMENT: ("/api/documents/{id}", lambda request: _document(state, request)),
        DOWNLOAD: ("/files/{key}", lambda request: _file(state, request)),
    }
    for endpoint, (path, work) in works.items():
        app.add_api_route(path, _endpoint(state, endpoint, work), methods=["GET"], name=endpoint)
    return with_scissors(app)


def _endpoint(state: PlatformState, endpoint: str, work: Work) -> Callable[..., Any]:
    async def answer(request: Request) -> Response:
        fault = state.script.record(_call(endpoint, request))
        await asyncio.sleep(fault.delay)
        while fault.hold is not None and not fault.hold.is_set():
            await asyncio.sleep(_HOLD_POLL_SECONDS)
        if fault.reset:
            request.scope[CUT]()
            return Response()
        if fault.status is not None:
            return JSONResponse({"detail": "scripted"}, fault.status, dict(fault.headers))
        if fault.garbage is not None:
            return Response(fault.garbage, media_type="application/json")
        if fault.error is not None:
            return JSONResponse({"status": "error", "message": fault.error})
        try:
            with state.lock:
                found = work(request)
        except _Refused as refusal:
            return refusal.answer
        return _spoiled(request, found, fault)

    return answer


def _spoiled(request: Request, found: Response, fault: Fault) -> Response:
    """The good answer, or what the script makes of it."""
    body = bytes(found.body)
    if fault.change is not None:
        return JSONResponse(fault.change(json.loads(body)))
    if fault.half:
        return StreamingResponse(_half(request, body), headers={"content-length": str(len(body))})
    return found


async def _half(request: Request, body: bytes) -> AsyncIterator[bytes]:
    yield body[: len(body) // 2]
    await asyncio.sleep(0.05)  # so that the half is on its way
    request.scope[CUT]()


def _call(endpoint: str, request: Request) -> Call:
    return Call(
        endpoint=endpoint,
        company=request.query_params.get("company_id"),
        role=request.query_params.get("roles"),
        body=dict(request.query_params) | dict(request.path_params),
        idempotency_key=None,
        authorization=request.headers.get("authorization"),
    )


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _number(request: Request, name: str, default: int, *, most: int) -> int:
    try:
        value = int(request.query_params.get(name, default))
    except ValueError:
        raise _Refused(422, f"{name}: not a number") from None
    if not 0 <= value <= most:
        raise _Refused(422, f"{name}: 0 to {most}")
    return value


def _taxonomy(state: PlatformState, request: Request) -> Response:
    company = _number(request, "company_id", -1, most=10**9)
    wanted = state.own_tokens.get(company, state.token)
    if wanted is not None and _bearer(request) != wanted:
        raise _Refused(401, "Not authenticated")
    page = _number(request, "page", 1, most=10**6)
    size = _number(request, "page_size", 20, most=_MOST_ROLES)
    status = request.query_params.get("approval_status")
    rows = [row for row in state.roles.get(company, []) if status in (None, row["approval_status"])]
    return JSONResponse(
        {
            "status": "success",
            "data": rows[(page - 1) * size : page * size],
            "total_count": len(rows),
            "page": page,
            "total_pages": -(-len(rows) // size),
        }
    )


def _seen(state: PlatformState, request: Request) -> dict[str, dict[str, Any]]:
    """What the token sees: its company's documents."""
    bearer = _bearer(request)
    known = {state.token, *(held.token for held in state.documents.values())} - {None}
    if known and bearer not in known:
        raise _Refused(401, "Not authenticated")
    return {
        document_id: held.fields
        for document_id, held in state.documents.items()
        if held.token is None or held.token == bearer
    }


def _documents(state: PlatformState, request: Request) -> Response:
    role, status = request.query_params.get("roles"), request.query_params.get("status")
    limit = min(_number(request, "limit", 20, most=1000), state.most)
    offset = _number(request, "offset", 0, most=10**9)
    found = [
        document
        for document in _seen(state, request).values()
        # A partial match without regard to case, as the real one does.
        if (role is None or any(role.lower() in one.lower() for one in document["roles"]))
        and status in (None, document["status"])
    ]
    page = found[offset : offset + limit]
    count = len(page) if state.counts_pages else len(found)
    data = {"documents": page, "count": count, "limit": limit, "offset": offset}
    return JSONResponse({"status": "success", "data": data})


def _document(state: PlatformState, request: Request) -> Response:
    document = _seen(state, request).get(request.path_params["id"])
    if document is None:
        raise _Refused(404, "unknown document")
    answer: dict[str, Any] = {"document": document}
    if request.query_params.get("generate_download_url") == "true":
        key = state.script.next_id("link")
        state.issued[key] = document["id"]
        url = str(request.base_url.replace(path=f"/files/{key}"))
        answer["download"] = {"url": url, "expires_in": LINK_SECONDS}
    return JSONResponse(answer)


def _file(state: PlatformState, request: Request) -> Response:
    """A storage: it knows links, no tokens, and refuses to see one."""
    if "authorization" in request.headers:
        raise _Refused(400, "only one authentication mechanism is allowed")
    held = state.documents.get(state.issued.get(request.path_params["key"], ""))
    if held is None:
        raise _Refused(403, "the link is over")
    return Response(held.data, media_type="binary/octet-stream")
