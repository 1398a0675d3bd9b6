"""The service itself: health, audit log, metrics."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Response

from etter_dagster.api.access import needs
from etter_dagster.api.common import (
    Admin,
    Cursor,
    Limit,
    OpenedIn,
    Reader,
    ServicesIn,
    errors,
    new_router,
)
from etter_dagster.api.health import UNHEALTHY
from etter_dagster.api.runtime import Runtime, runtime_of
from etter_dagster.model.identity import normalize_name
from etter_dagster.onboarding.views import AuditItem, AuditPage, HealthView

router = new_router("system")
root_router = new_router("system")  # stands at the server's root, not under the prefix


@router.get(
    "/health",
    responses={503: {"model": HealthView, "description": "No push can be taken"}},
    summary="Whether the service can work",
)
async def health(
    _: Annotated[None, Depends(needs(None))], opened: OpenedIn, response: Response
) -> HealthView:
    """Needs no key; names no address and no secret."""
    view = await opened.health.look()
    if view.status == UNHEALTHY:
        response.status_code = 503
    return view


@router.get("/audit", responses=errors(), summary="Who did what, when, to what")
async def audit_log(
    caller: Admin,
    services: ServicesIn,
    company_id: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> AuditPage:
    """Newest first; append-only."""
    companies = sorted(caller.companies) if caller.companies is not None else None
    if company_id is not None:
        companies = [normalize_name(company_id)]
        caller.require_company(companies[0])
    entries, next_cursor = await services.graph.audit(companies, cursor=cursor, limit=limit)
    items = tuple(AuditItem(**entry.model_dump()) for entry in entries)
    return AuditPage(items=items, next_cursor=next_cursor)


@root_router.get(
    "/metrics",
    response_class=Response,
    responses={**errors(), 200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Prometheus metrics",
)
async def metrics(
    caller: Reader,
    opened: OpenedIn,
    runtime: Annotated[Runtime, Depends(runtime_of)],
) -> Response:
    """Requests of this process, and the queue as the store holds it; of every company."""
    caller.require_every_company()
    return await runtime.metrics.text(opened.services, opened.health)
