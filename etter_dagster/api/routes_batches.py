"""Batches: many roles at once, how far they are, and the failed ones again."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from etter_dagster.api.common import (
    ONCE,
    OnceIn,
    Pusher,
    Reader,
    ServicesIn,
    UseMock,
    audit,
    errors,
    new_router,
)
from etter_dagster.api.orders import plain_options, read_batch
from etter_dagster.api.routing import JSON, accepts
from etter_dagster.api.schemas import BatchBody, BatchRoleBody, RetryBody, inlined
from etter_dagster.model.push import Source
from etter_dagster.onboarding.batches import batch_status, push_batch, retry_failed
from etter_dagster.onboarding.views import BatchAccepted, BatchRetried, BatchView

router = new_router("batches")
CSV = "text/csv"
_CSV_EXAMPLE = "company,role,draup_role,jd\nLiberty Mutual,Underwriter,Insurance Underwriter,\n"


def _batch_body() -> dict[str, Any]:
    schema = inlined(BatchBody)
    schema["properties"]["roles"]["items"] = inlined(BatchRoleBody)
    csv = {"schema": {"type": "string"}, "example": _CSV_EXAMPLE}
    content = {JSON: {"schema": schema}, CSV: csv}
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/push-batch",
    dependencies=ONCE,
    responses=errors(409, 413, 415),
    openapi_extra=_batch_body(),
    summary="Push many roles",
)
@accepts(JSON, CSV)
async def push_many(
    request: Request,
    caller: Pusher,
    services: ServicesIn,
    once: OnceIn,
    use_mock: UseMock = False,
) -> BatchAccepted:
    """JSON, or CSV with the header `company,role,draup_role,jd[,draup_role_id]`.

    A bad role is rejected by itself; only if none is good, the answer is an error.
    """
    batch = await read_batch(request, caller, use_mock=use_mock)
    accepted = await push_batch(
        services,
        batch.entries,
        company_id=batch.company_id,
        created_by=batch.created_by,
        sees=caller.sees,
        once=once,
    )
    await audit(
        services,
        caller,
        "push-batch",
        target=accepted.batch_id,
        company_id=batch.company_id,
        created_by=batch.created_by,
        accepted=len(accepted.workflow_ids),
        rejected=len(accepted.rejected),
    )
    return accepted


@router.get("/batch-status/{batch_id}", responses=errors(404), summary="How far a batch is")
async def status(batch_id: str, caller: Reader, services: ServicesIn) -> BatchView:
    """Counts and rows by the newest attempt of each role."""
    view = await batch_status(services, batch_id, sees=caller.sees)
    caller.require_owner(view.company_id, batch_id)
    return view


@router.post(
    "/retry-failed/{batch_id}",
    dependencies=ONCE,
    responses=errors(404, 409, 413, 415),
    summary="Push the failed roles of a batch again",
)
async def retry(
    batch_id: str, caller: Pusher, services: ServicesIn, body: RetryBody | None = None
) -> BatchRetried:
    """Asking twice retries nothing twice."""
    wanted = body or RetryBody()
    view = await batch_status(services, batch_id, sees=caller.sees)
    caller.require_owner(view.company_id, batch_id)
    answer = await retry_failed(
        services,
        batch_id,
        source=Source.BATCH,
        workflow_ids=wanted.workflow_ids,
        options=plain_options(wanted.options),
        sees=caller.sees,
    )
    await audit(
        services,
        caller,
        "retry-failed",
        target=batch_id,
        company_id=view.company_id,
        retried=answer.retried_count,
    )
    return answer
