"""One push: queue it, follow it, retry it, cancel it."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Annotated, Any

from fastapi import Header, Request, Response

from etter_dagster.api.access import Caller, still_sees
from etter_dagster.api.common import (
    ONCE,
    OnceIn,
    OpenedIn,
    Pusher,
    PushSource,
    Reader,
    ServicesIn,
    UseMock,
    audit,
    errors,
    new_router,
)
from etter_dagster.api.events import StatusEvents, is_over, last_id
from etter_dagster.api.orders import push_order
from etter_dagster.api.schemas import PushBody
from etter_dagster.model.errors import EtterError, NotFound
from etter_dagster.model.identity import derived_workflow_id, normalize_name
from etter_dagster.model.push import Source
from etter_dagster.onboarding.accept import Accepted, accept, cancel
from etter_dagster.onboarding.batches import retry_pushes
from etter_dagster.onboarding.once import taken_before
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import StatusView, find_push, status_of

router = new_router("pushes")
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`event: status`, `data:` the status, till the push has ended",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    204: {"description": "The client has had the last event"},
}


@router.post("/push", dependencies=ONCE, responses=errors(409, 413, 415), summary="Push a role")
async def push(
    body: PushBody,
    caller: Pusher,
    services: ServicesIn,
    once: OnceIn,
    use_mock: UseMock = False,
    source: PushSource = None,
) -> Accepted:
    """Checks the role and queues it; a ready and unchanged one is answered with `ready`."""
    caller.require_company(normalize_name(body.company_id))
    order = push_order(body, use_mock=use_mock, source=Source(source or "rest"))
    accepted = None
    if once is not None:
        workflow_id = derived_workflow_id(*once)
        before = await taken_before(services, [workflow_id])
        if before is not None:
            accepted = before.get(workflow_id)
            order = order.model_copy(update={"workflow_id": workflow_id})
    accepted = accepted or await accept(services, order, sees=caller.sees)
    await audit(
        services,
        caller,
        "push",
        target=accepted.workflow_id,
        company_id=normalize_name(body.company_id),
        created_by=body.created_by,
        role_id=accepted.role_id,
        status=accepted.status.value,
    )
    return accepted


@router.get("/status/{workflow_id}", responses=errors(404), summary="How far a push is")
async def status(workflow_id: str, caller: Reader, services: ServicesIn) -> StatusView:
    """Live while it is at work, from the history afterwards."""
    view = await status_of(services, workflow_id)
    caller.require_owner(view.company_id, workflow_id)
    return view


@router.get(
    "/status/{workflow_id}/events",
    response_class=Response,
    responses=_EVENTS | errors(404),
    summary="Follow a push",
)
async def events(
    request: Request,
    workflow_id: str,
    caller: Reader,
    opened: OpenedIn,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> Response:
    """Server-sent events: each change of status at once, place and estimate every 2 seconds."""
    after = last_id(last_event_id)
    async with contextlib.AsyncExitStack() as stack:
        watch = await stack.enter_async_context(opened.hub.watch(workflow_id))
        company = watch.view.company_id if watch.view is not None else ""
        caller.require_owner(company, workflow_id)
        if is_over(watch, after):
            return Response(status_code=204)  # tells a browser not to come again
        may_see = partial(still_sees, request, caller, company)
        return StatusEvents(watch, stack.pop_all(), after, may_see)


@router.post(
    "/retry/{workflow_id}",
    dependencies=ONCE,
    responses=errors(404, 409),
    summary="Push a failed role again",
)
async def retry(
    workflow_id: str, caller: Pusher, services: ServicesIn, source: PushSource = None
) -> Accepted:
    """Takes the role's newest push that failed or is degraded; gives a new workflow id."""
    company_id = await _owned(services, caller, workflow_id)
    (answer,) = await retry_pushes(services, [workflow_id], source=Source(source or "rest"))
    if isinstance(answer, EtterError):
        raise answer
    await audit(
        services,
        caller,
        "retry",
        target=workflow_id,
        company_id=company_id,
        workflow_id=answer.workflow_id,
    )
    return answer


@router.post(
    "/cancel/{workflow_id}",
    dependencies=ONCE,
    responses=errors(404, 409),
    summary="Cancel a queued push",
)
async def cancel_push(workflow_id: str, caller: Pusher, services: ServicesIn) -> StatusView:
    """Only while it is queued; its role is then as it was before."""
    company_id = await _owned(services, caller, workflow_id)
    view = await cancel(services, workflow_id)
    await audit(services, caller, "cancel", target=workflow_id, company_id=company_id)
    return view


async def _owned(services: Services, caller: Caller, workflow_id: str) -> str:
    found = await find_push(services, workflow_id)
    if found is None:
        raise NotFound(workflow_id, "look the push up with GET /history/{company_id}")
    caller.require_owner(found.company_id, workflow_id)
    return found.company_id
