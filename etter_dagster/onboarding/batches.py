"""Batches: many orders pushed together, how far they are, and pushing the failed ones again.

Knows no HTTP; reading a request into orders is the caller's part.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from etter_dagster.model.errors import (
    ErrorCode,
    EtterError,
    FieldProblem,
    NotFound,
    ValidationFailed,
)
from etter_dagster.model.identity import normalize_name
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push, Source, WorkflowOptions
from etter_dagster.onboarding.accept import Accepted, accept_many, nobody, retry
from etter_dagster.onboarding.check import PushOrder
from etter_dagster.onboarding.exclusive import exclusive
from etter_dagster.onboarding.hinting import nearly_the_same
from etter_dagster.onboarding.once import Once, names_of
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import find_pushes
from etter_dagster.onboarding.views import (
    BatchAccepted,
    BatchRetried,
    BatchRole,
    BatchView,
    Rejected,
)
from etter_dagster.stores.protocols import Batch

MAX_BATCH = 10_000
_RETRIES_AT_ONCE = 50


@dataclass(frozen=True)
class BatchEntry:
    """One role of a batch as it was read: an order, or why it is none."""

    role_name: str | None
    order: PushOrder | EtterError


def check_batch_size(count: int, field: str = "roles") -> None:
    """Refuses a batch with nothing in it or with too much.

    Args:
        count: How many were given.
        field: As the caller knows the list.

    Raises:
        EtterError: `VALIDATION_ERROR`, `PAYLOAD_TOO_LARGE`.
    """
    if not count:
        raise ValidationFailed(FieldProblem(field, "is empty; give at least one"))
    if count > MAX_BATCH:
        raise EtterError(
            ErrorCode.PAYLOAD_TOO_LARGE,
            f"{field}: {count} were given; at most {MAX_BATCH} are allowed in a batch",
            fields=[FieldProblem(field, "send several batches")],
        )


async def push_batch(
    services: Services,
    entries: Sequence[BatchEntry],
    *,
    company_id: str,
    created_by: str | None = None,
    sees: Callable[[str], bool] = nobody,
    once: Once | None = None,
) -> BatchAccepted:
    """Queues what is good of a batch; a bad role never blocks the good ones.

    Args:
        services: Stores and sources.
        entries: The roles in the order sent.
        company_id: The batch's company.
        created_by: Who asked.
        sees: Whether a company is the caller's, so that its name may be told.
        once: Names the request, if it may be repeated: what it queued before is not queued again.

    Raises:
        EtterError: Nothing was good: the common code of the rejections, which are in `detail`.
    """
    check_batch_size(len(entries))
    orders = {
        i: entry.order for i, entry in enumerate(entries) if isinstance(entry.order, PushOrder)
    }
    names = await names_of(services, orders, once)
    answered: dict[int, Accepted | EtterError] = {
        index: names.taken[workflow_id]
        for index, workflow_id in names.workflow_ids.items()
        if workflow_id in names.taken
    }
    of_batch = {"batch_id": names.batch_id, "created_by": created_by}
    new = {
        index: order.model_copy(update={**of_batch, "workflow_id": names.workflow_ids.get(index)})
        for index, order in orders.items()
        if index not in answered
    }
    if new:
        answered |= dict(zip(new, await accept_many(services, list(new.values())), strict=True))
    answers = [
        answered[index] if isinstance(entry.order, PushOrder) else entry.order
        for index, entry in enumerate(entries)
    ]
    taken = [answer for answer in answers if isinstance(answer, Accepted)]
    rejected = [
        Rejected(
            index=index,
            role_name=entry.role_name,
            error=answer.code.value,
            message=answer.message,
        )
        for index, (entry, answer) in enumerate(zip(entries, answers, strict=True))
        if isinstance(answer, EtterError)
    ]
    if not taken:
        raise _all_refused([a for a in answers if isinstance(a, EtterError)], rejected)
    await services.queue.put_batch(
        Batch(
            batch_id=names.batch_id,
            company_id=company_id,
            created_at=services.clock(),
            created_by=created_by,
            workflow_ids=tuple(answer.workflow_id for answer in taken),
        )
    )
    queued = [
        (normalize_name(entry.order.company_id), normalize_name(entry.order.role_name))
        for entry, answer in zip(entries, answers, strict=True)
        if isinstance(entry.order, PushOrder)
        and isinstance(answer, Accepted)
        and answer.status is WorkflowState.QUEUED
    ]
    return _accepted(names.batch_id, taken, rejected, await nearly_the_same(services, queued, sees))


def _accepted(
    batch_id: str, taken: Sequence[Accepted], rejected: Sequence[Rejected], note: str | None
) -> BatchAccepted:
    queued = sum(answer.status is not WorkflowState.READY for answer in taken)
    parts = [f"{queued} queued"]
    if len(taken) > queued:
        parts.append(f"{len(taken) - queued} ready already")
    if rejected:
        parts.append(f"{len(rejected)} rejected")
    return BatchAccepted(
        batch_id=batch_id,
        total_roles=len(taken) + len(rejected),
        workflow_ids=tuple(answer.workflow_id for answer in taken),
        rejected=tuple(rejected),
        status=WorkflowState.QUEUED if queued else WorkflowState.READY,
        estimated_duration_seconds=max(answer.estimated_duration_seconds for answer in taken),
        message="; ".join(filter(None, (", ".join(parts), note))),
    )


def _all_refused(errors: Sequence[EtterError], rejected: Sequence[Rejected]) -> EtterError:
    first = errors[0]
    common = len({error.code for error in errors}) == 1
    return EtterError(
        first.code if common else ErrorCode.VALIDATION_ERROR,
        f"none of the {len(errors)} roles was queued; the first: {first.message}",
        recoverable=all(error.recoverable for error in errors),
        retry_after=first.retry_after if common else None,
        detail={"rejected": [item.model_dump(mode="json") for item in rejected]},
    )


def _everything(_: str) -> bool:
    return True


async def batch_status(
    services: Services, batch_id: str, *, sees: Callable[[str], bool] = _everything
) -> BatchView:
    """How far a batch is.

    Args:
        services: Stores.
        batch_id: The batch.
        sees: Whether a company is the caller's: a batch may hold roles of several, and only the
            caller's are shown and counted.

    Raises:
        NotFound: Unknown id.
    """
    batch = await services.queue.batch(batch_id) if batch_id.startswith("batch-") else None
    if batch is None:
        raise NotFound(batch_id, "check the id: it was in the answer to the batch")
    pushes = await find_pushes(services, list(dict.fromkeys(batch.workflow_ids)))
    rows = [
        _row(services, pushes[workflow_id])
        for workflow_id in batch.workflow_ids
        if workflow_id in pushes and sees(pushes[workflow_id].company_id)
    ]
    counts = Counter(row.status for row in rows)
    completed = counts[WorkflowState.READY] + counts[WorkflowState.DEGRADED]
    failed, cancelled = counts[WorkflowState.FAILED], counts[WorkflowState.CANCELLED]
    total = len(rows)
    return BatchView(
        batch_id=batch.batch_id,
        company_id=batch.company_id,
        total=total,
        queued=counts[WorkflowState.QUEUED],
        in_progress=counts[WorkflowState.PROCESSING],
        completed=completed,
        failed=failed,
        cancelled=cancelled,
        state=batch_state(counts),
        progress_percent=100 * (completed + failed + cancelled) / total if total else 0.0,
        success_rate=100 * completed / (completed + failed) if completed + failed else None,
        created_at=batch.created_at,
        roles=tuple(rows),
    )


def batch_state(counts: Mapping[WorkflowState, int]) -> str:
    """`pending` (none started), `in_progress`, `completed`, `partial`, or `failed`.

    Args:
        counts: Pushes of the batch by state; missing ones count 0.
    """
    count = {state: counts.get(state, 0) for state in WorkflowState}
    total = sum(count.values()) - count[WorkflowState.CANCELLED]
    completed = count[WorkflowState.READY] + count[WorkflowState.DEGRADED]
    if count[WorkflowState.FAILED] == total:  # all failed or cancelled
        return "failed"
    if count[WorkflowState.QUEUED] == total:
        return "pending"
    if completed == total:
        return "completed"
    if count[WorkflowState.QUEUED] + count[WorkflowState.PROCESSING]:
        return "in_progress"
    return "partial"


def _row(services: Services, push: Push) -> BatchRole:
    has_page = push.status in (WorkflowState.READY, WorkflowState.DEGRADED)
    return BatchRole(
        role_name=push.role_name,
        company_id=push.company_id,
        role_id=push.role_id,
        workflow_id=push.workflow_id,
        status=push.status,
        error=push.error,
        dashboard_url=services.settings.dashboard_url(push.company_id, push.role_id)
        if has_page
        else None,
    )


async def retry_failed(
    services: Services,
    batch_id: str,
    *,
    source: Source,
    created_by: str | None = None,
    workflow_ids: Sequence[str] | None = None,
    options: WorkflowOptions | None = None,
    sees: Callable[[str], bool] = _everything,
) -> BatchRetried:
    """Pushes the failed roles of a batch again; what is at work already is left alone.

    Args:
        services: Stores and sources.
        batch_id: The batch.
        source: Who asks.
        created_by: Who asks, by name.
        workflow_ids: Only these.
        options: Instead of those of the failed pushes.
        sees: Whether a company is the caller's.

    Raises:
        NotFound: Unknown batch.
        ValidationFailed: A workflow id is not of this batch.
    """
    view = await batch_status(services, batch_id, sees=sees)
    if workflow_ids is not None:
        await _check_members(services, view, workflow_ids)
    failed = [
        row.workflow_id
        for row in view.roles
        if row.status is WorkflowState.FAILED
        and (workflow_ids is None or row.workflow_id in workflow_ids)
    ]
    answers = await retry_pushes(
        services, failed, source=source, created_by=created_by, options=options
    )
    new = [answer.workflow_id for answer in answers if isinstance(answer, Accepted)]
    refused = [answer.message for answer in answers if isinstance(answer, EtterError)]
    message = f"{len(new)} of {len(failed)} failed roles are queued again"
    return BatchRetried(
        batch_id=batch_id,
        retried_count=len(new),
        new_workflow_ids=tuple(new),
        message=f"{message}; first refusal: {refused[0]}" if refused else message,
    )


async def _check_members(services: Services, view: BatchView, workflow_ids: Sequence[str]) -> None:
    current = {row.workflow_id for row in view.roles}
    others = [workflow_id for workflow_id in workflow_ids if workflow_id not in current]
    pushes = await find_pushes(services, others) if others else {}
    strange = [
        workflow_id
        for workflow_id in others
        # An earlier attempt is of the batch too: asking twice must not be an error.
        if workflow_id not in pushes or pushes[workflow_id].batch_id != view.batch_id
    ]
    if strange:
        raise ValidationFailed(
            FieldProblem("workflow_ids", f"{strange[0]} is not a push of {view.batch_id}")
        )


async def retry_pushes(
    services: Services,
    workflow_ids: Sequence[str],
    *,
    source: Source,
    created_by: str | None = None,
    options: WorkflowOptions | None = None,
) -> list[Accepted | EtterError]:
    """Retries pushes, one answer each; batches they belong to then count the new attempts.

    Args:
        services: Stores and sources.
        workflow_ids: The pushes.
        source: Who asks.
        created_by: Who asks, by name.
        options: Instead of theirs.
    """

    async def one(workflow_id: str) -> Accepted | EtterError:
        try:
            return await retry(
                services, workflow_id, source=source, created_by=created_by, options=options
            )
        except EtterError as error:
            return error

    answers: list[Accepted | EtterError] = []
    for start in range(0, len(workflow_ids), _RETRIES_AT_ONCE):
        page = workflow_ids[start : start + _RETRIES_AT_ONCE]
        answers += await asyncio.gather(*(one(workflow_id) for workflow_id in page))
    newer = {
        old: answer.workflow_id
        for old, answer in zip(workflow_ids, answers, strict=True)
        if isinstance(answer, Accepted)
    }
    await _count_newest_attempts(services, newer)
    return answers


async def _count_newest_attempts(services: Services, newer: Mapping[str, str]) -> None:
    pushes = await find_pushes(services, list(newer)) if newer else {}
    for batch_id in {push.batch_id for push in pushes.values()} - {None}:
        assert batch_id is not None
        async with exclusive(services.queue, "batch", batch_id):
            batch = await services.queue.batch(batch_id)
            if batch is not None:
                ids = tuple(
                    newer.get(workflow_id, workflow_id) for workflow_id in batch.workflow_ids
                )
                await services.queue.put_batch(batch.model_copy(update={"workflow_ids": ids}))
