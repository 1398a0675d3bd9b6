"""The assessment service ("workflow API") as it exists today: synchronous, slow, with a cache of
its own by company and role, and without idempotency keys.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from etter_dagster_tests.standin.answers import assessment_answer
from etter_dagster_tests.standin.state import (
    ASSESS,
    CREATE,
    HEALTH,
    LINK,
    Call,
    Fault,
    HeldRole,
    StandinState,
)

Body = dict[str, Any]
CUT = "standin.cut"  # in the scope: breaks the client's connection
_HOLD_POLL_SECONDS = 0.005


class _Refused(Exception):
    """HTTP 422 or an error in the body; `status` None is the latter."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class _Endpoint:
    """The frame around an operation: counting, token, scripted faults."""

    state: StandinState
    name: str
    work: Callable[[Body, Fault], Awaitable[Body]]

    async def __call__(self, request: Request) -> Response:
        body = await _body(request)
        fault = self.state.record(self._call(request, body))
        if self.name == ASSESS:
            self.state.entered()
        try:
            return await self._answer(request, body, fault)
        finally:
            if self.name == ASSESS:
                self.state.left()

    async def _answer(self, request: Request, body: Body, fault: Fault) -> Response:
        await asyncio.sleep(fault.delay)
        while fault.hold is not None and not fault.hold.is_set():
            # A test's thread sets it, so it cannot be an event of this loop.
            await asyncio.sleep(_HOLD_POLL_SECONDS)
        if fault.reset:
            return _cut(request)
        if fault.status is not None:
            return JSONResponse({"detail": "scripted"}, fault.status, dict(fault.headers))
        if fault.garbage is not None:
            return Response(fault.garbage, media_type="application/json")
        if fault.error is not None:
            return JSONResponse({"status": "error", "message": fault.error})
        if self.name != HEALTH and not self._allowed(request):
            return JSONResponse({"detail": "Not authenticated"}, 401)
        try:
            answer = await self.work(body, fault)
        except _Refused as refusal:
            if refusal.status is not None:
                return JSONResponse({"detail": str(refusal)}, refusal.status)
            return JSONResponse({"status": "error", "message": str(refusal)})
        if fault.lose_answer:
            return _cut(request)
        answer = {k: v for k, v in {**answer, **fault.override}.items() if v is not None}
        return JSONResponse(answer)

    def _allowed(self, request: Request) -> bool:
        wanted = self.state.token
        return wanted is None or request.headers.get("authorization") == f"Bearer {wanted}"

    def _call(self, request: Request, body: Body) -> Call:
        held = self.state.roles.get(str(body.get("company_role_id")))
        return Call(
            endpoint=self.name,
            company=body.get("company_name") or (held.company if held else None),
            role=body.get("role_name") or (held.role if held else None),
            body=body,
            idempotency_key=request.headers.get("idempotency-key"),
            authorization=request.headers.get("authorization"),
        )


def _cut(request: Request) -> Response:
    request.scope[CUT]()
    return Response()  # goes nowhere


async def _body(request: Request) -> Body:
    data = await request.body()
    try:
        body = json.loads(data) if data else {}
    except ValueError:
        body = {}
    return body if isinstance(body, dict) else {}


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise _Refused(f"{name}: field required", 422)
    return value


def assessment_router(state: StandinState) -> APIRouter:
    """The routes of the assessment service.

    Args:
        state: What it knows, and how it fails.
    """

    async def create(body: Body, fault: Fault) -> Body:
        company, role = _text(body, "company_name"), _text(body, "role_name")
        held = state.role_of(company, role)
        if held is None:
            held = HeldRole(state.next_id("svc-role"), company, role)
            state.roles[held.role_id] = held
        held.draup_role = body.get("draup_role")
        return {"status": "success", "company_role_id": held.role_id}

    async def link(body: Body, fault: Fault) -> Body:
        held = state.roles.get(_text(body, "company_role_id"))
        if held is None:
            raise _Refused("unknown company_role_id")
        if not (body.get("jd_content") or body.get("jd_uri")):
            raise _Refused("jd_content or jd_uri: field required", 422)
        held.jd = body.get("jd_content") or f"document behind {body['jd_uri']}"
        return {
            "status": "success",
            "company_role_id": held.role_id,
            "jd_id": state.next_id("svc-jd"),
        }

    async def assess(body: Body, fault: Fault) -> Body:
        company, role = _text(body, "company_name"), _text(body, "role_name")
        held = state.roles.get(_text(body, "company_role_id"))
        if held is None or (held.company, held.role) != (company, role):
            raise _Refused("unknown company_role_id")
        if held.jd is None:
            raise _Refused("no job description is linked to the role")
        if body.get("delete_existing"):
            state.cache.pop((company, role), None)
        # The cache knows company and role only: a changed JD is answered with the old result.
        elif cached := state.cache.get((company, role)):
            return cached
        started = time.monotonic()
        await asyncio.sleep(state.delay)
        state.cache[company, role] = assessment_answer(
            request_id=state.next_id("req"),
            company=company,
            role=role,
            jd=held.jd,
            seconds=time.monotonic() - started,
        )
        return state.cache[company, role]

    async def health(body: Body, fault: Fault) -> Body:
        return {"status": "healthy"}

    router = APIRouter()
    works = {CREATE: create, LINK: link, ASSESS: assess}
    for name, work in works.items():
        endpoint = _Endpoint(state, name, work)
        router.add_api_route(
            f"/api/automated_workflows/{name}", endpoint.__call__, methods=["POST"], name=name
        )
    router.add_api_route("/health", _Endpoint(state, HEALTH, health).__call__, name=HEALTH)
    return router
