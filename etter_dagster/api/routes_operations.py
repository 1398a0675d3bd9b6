"""Many pushes at once: list them by a filter, retry or cancel all that it meets."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import ValidationError

from etter_dagster.api.access import Caller
from etter_dagster.api.common import (
    ONCE,
    Cursor,
    Limit,
    OpenedIn,
    Pusher,
    Reader,
    ServicesIn,
    audit,
    errors,
    new_router,
)
from etter_dagster.api.errors import invalid
from etter_dagster.api.orders import push_filter
from etter_dagster.api.runtime import Opened
from etter_dagster.api.schemas import FilterBody
from etter_dagster.model.errors import NotFound
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Source
from etter_dagster.onboarding import bulk
from etter_dagster.onboarding.listing import count_pushes, list_pushes
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.views import OperationStarted, OperationView, PushesPage, PushItem

router = new_router("operations")
_TIME = "RFC 3339, or how long ago: 90s, 30m, 24h, 7d, 2w."


def _query_filter(
    company: str | None = None,
    state: Annotated[list[WorkflowState] | None, Query(description="May be repeated.")] = None,
    error_code: str | None = None,
    batch_id: str | None = None,
    source: Source | None = None,
    since: Annotated[str | None, Query(description=_TIME)] = None,
    until: Annotated[str | None, Query(description=_TIME)] = None,
    q: Annotated[str | None, Query(description="Part of a role's name.")] = None,
) -> FilterBody:
    values: dict[str, Any] = {
        "company": company,
        "state": tuple(state) if state else None,
        "error_code": error_code,
        "batch_id": batch_id,
        "source": source,
        "since": since,
        "until": until,
        "q": q,
    }
    try:
        return FilterBody(**values)
    except ValidationError as error:
        raise invalid(error.errors()) from None


@router.get("/pushes", responses=errors(), summary="Pushes that a filter meets")
async def pushes(
    caller: Reader,
    services: ServicesIn,
    wanted: Annotated[FilterBody, Depends(_query_filter)],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PushesPage:
    """Newest first, with counts by state and by error code over all of them."""
    where = push_filter(wanted, caller, services)
    found, next_cursor = await list_pushes(services, where, cursor=cursor, limit=limit)
    counts = await count_pushes(services, where)
    return PushesPage(
        items=tuple(PushItem.of(push) for push in found),
        total_count=counts.total,
        by_state=dict(counts.by_state),
        by_error_code=dict(counts.by_error_code),
        next_cursor=next_cursor,
    )


@router.post(
    "/pushes/retry", dependencies=ONCE, responses=errors(409, 413, 415), summary="Retry many"
)
async def retry(body: FilterBody, caller: Pusher, opened: OpenedIn) -> OperationStarted:
    """Acts on the set that the list shows now; with `dry_run` it only counts."""
    return await _start(opened, caller, bulk.RETRY, body)


@router.post(
    "/pushes/cancel", dependencies=ONCE, responses=errors(409, 413, 415), summary="Cancel many"
)
async def cancel(body: FilterBody, caller: Pusher, opened: OpenedIn) -> OperationStarted:
    """Acts on the set that the list shows now; with `dry_run` it only counts."""
    return await _start(opened, caller, bulk.CANCEL, body)


async def _start(opened: Opened, caller: Caller, kind: str, body: FilterBody) -> OperationStarted:
    services = opened.services
    where = push_filter(body, caller, services)
    started = await bulk.start(
        services, kind, where, created_by=caller.key_id, dry_run=body.dry_run
    )
    if started.operation_id is not None:
        await audit(
            services,
            caller,
            f"{kind}-many",
            target=started.operation_id,
            company_id=where.companies[0] if body.company and where.companies else None,
            matched=started.matched,
            filter=body.model_dump(mode="json", exclude_none=True, exclude={"dry_run"}),
        )
        opened.spawn(bulk.advance(services, started.operation_id))
    return started


@router.get("/operations/{operation_id}", responses=errors(404), summary="How far an operation is")
async def operation(operation_id: str, caller: Reader, opened: OpenedIn) -> OperationView:
    """Also carries it on, if the process that began it is gone."""
    view = await _owned(opened.services, caller, operation_id)
    if view.state == bulk.RUNNING:
        opened.spawn(bulk.advance(opened.services, operation_id))
    return view


@router.post(
    "/operations/{operation_id}/abort",
    dependencies=ONCE,
    responses=errors(404, 409),
    summary="Stop an operation",
)
async def abort(operation_id: str, caller: Pusher, services: ServicesIn) -> OperationView:
    """What is done stays done."""
    await _owned(services, caller, operation_id)
    view = await bulk.abort(services, operation_id)
    await audit(services, caller, "abort", target=operation_id)
    return view


async def _owned(services: Services, caller: Caller, operation_id: str) -> OperationView:
    view = await bulk.operation_view(services, operation_id)
    if caller.companies is not None and view.created_by != caller.key_id:
        raise NotFound(operation_id)
    return view
