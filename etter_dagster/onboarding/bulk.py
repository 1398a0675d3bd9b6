"""Bulk operations: retry or cancel all pushes that a filter meets, in bounded pages.

The set is fixed when the operation begins. Its record and its ids are in the queue store, each page
is taken by one process only, and whoever asks for an operation carries it on: so one whose
process died goes on from its last finished page. Knows no HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from etter_dagster.model.errors import IllegalMove, NotFound
from etter_dagster.model.identity import new_operation_id
from etter_dagster.model.push import Source
from etter_dagster.onboarding.accept import Accepted
from etter_dagster.onboarding.archive import archive
from etter_dagster.onboarding.batches import retry_pushes
from etter_dagster.onboarding.exclusive import exclusive
from etter_dagster.onboarding.listing import count_pushes, every_push_id
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.views import OperationStarted, OperationView
from etter_dagster.stores.protocols import Batch, Operation, PushFilter, StoredAnswer

RETRY, CANCEL = "retry", "cancel"
RUNNING, COMPLETED, ABORTED, DRY_RUN = "running", "completed", "aborted", "dry_run"
PAGE = 100
_PAGE_TTL_SECONDS = 24 * 3600.0


async def start(
    services: Services,
    kind: str,
    where: PushFilter,
    *,
    created_by: str | None,
    dry_run: bool = False,
) -> OperationStarted:
    """Fixes the set of pushes and records the operation; `advance` does the work.

    Args:
        services: Stores.
        kind: `retry` or `cancel`.
        where: Which pushes.
        created_by: Who asks.
        dry_run: Only count.
    """
    if dry_run:
        counts = await count_pushes(services, where)
        return OperationStarted(operation_id=None, matched=counts.total, state=DRY_RUN)
    ids = await every_push_id(services, where)
    operation = Operation(
        operation_id=new_operation_id(),
        kind=kind,
        state=RUNNING if ids else COMPLETED,
        matched=len(ids),
        created_by=created_by,
        created_at=services.clock(),
    )
    # The ids are written once, as a batch record under the operation's id: the operation's own
    # record is rewritten with every page.
    await services.queue.put_batch(
        Batch(
            batch_id=operation.operation_id,
            company_id="",
            created_at=operation.created_at,
            workflow_ids=tuple(ids),
        )
    )
    await services.queue.put_operation(operation)
    return OperationStarted(
        operation_id=operation.operation_id, matched=operation.matched, state=operation.state
    )


async def operation_view(services: Services, operation_id: str) -> OperationView:
    """How far an operation is.

    Raises:
        NotFound: Unknown id.
    """
    return _view(await _operation(services, operation_id))


async def abort(services: Services, operation_id: str) -> OperationView:
    """Stops an operation after the page it is at; what is done stays done.

    Raises:
        NotFound: Unknown id.
    """
    async with exclusive(services.queue, "operation", operation_id):
        operation = await _operation(services, operation_id)
        if operation.state == RUNNING:
            operation = operation.model_copy(update={"state": ABORTED})
            await services.queue.put_operation(operation)
    return _view(operation)


def _view(operation: Operation) -> OperationView:
    # While it runs, whoever follows it asks twice a second: thousands of ids are told once.
    left_out = {"new_workflow_ids"} if operation.state == RUNNING else set()
    return OperationView(**operation.model_dump(exclude=left_out))


async def advance(services: Services, operation_id: str) -> None:
    """Works an operation to its end, page by page; returns at once where another process does.

    Args:
        services: Stores and sources.
        operation_id: The operation.
    """
    record = await services.queue.batch(operation_id)
    if record is None:
        raise NotFound(operation_id)
    while True:
        operation = await _operation(services, operation_id)
        if operation.state != RUNNING:
            return
        offset = operation.done + len(operation.skipped)
        # A page is reserved for a minute: if this process dies, the next one to ask redoes it.
        page = await services.queue.reserve_key(
            "operation-page", f"{operation_id}:{offset}", "", ttl_seconds=_PAGE_TTL_SECONDS
        )
        if not page.fresh:
            return
        ids = record.workflow_ids[offset : offset + PAGE]
        await _record(services, operation_id, await _act(services, operation, ids))
        await services.queue.store_answer(
            "operation-page", f"{operation_id}:{offset}", StoredAnswer(status=200, body=None)
        )


@dataclass(frozen=True)
class _Page:
    """What became of a page: how many were done, which were skipped and why, and new pushes."""

    done: int
    skipped: Sequence[dict[str, str]]
    new: Sequence[str] = ()


async def _act(services: Services, operation: Operation, ids: Sequence[str]) -> _Page:
    if operation.kind == RETRY:
        answers = await retry_pushes(
            services, ids, source=Source.REST, created_by=operation.created_by
        )
        skipped = [
            {"workflow_id": workflow_id, "reason": answer.message}
            for workflow_id, answer in zip(ids, answers, strict=True)
            if not isinstance(answer, Accepted)
        ]
        new = [answer.workflow_id for answer in answers if isinstance(answer, Accepted)]
        return _Page(len(new), skipped, new)
    # All at once: a store that commits in groups then syncs once for the page.
    reasons = await asyncio.gather(*(_cancel(services, workflow_id) for workflow_id in ids))
    await archive(services, limit=len(ids))
    skipped = [
        {"workflow_id": workflow_id, "reason": reason}
        for workflow_id, reason in zip(ids, reasons, strict=True)
        if reason is not None
    ]
    return _Page(len(ids) - len(skipped), skipped)


async def _cancel(services: Services, workflow_id: str) -> str | None:
    """Cancels a push, or says why not."""
    try:
        await services.queue.cancel(workflow_id, now=services.clock())
    except IllegalMove as error:
        return f"it is {error.current}"
    except NotFound:
        return "it has ended"
    return None


async def _record(services: Services, operation_id: str, page: _Page) -> None:
    async with exclusive(services.queue, "operation", operation_id):
        operation = await _operation(services, operation_id)
        done, skipped = operation.done + page.done, (*operation.skipped, *page.skipped)
        finished = done + len(skipped) >= operation.matched
        state = COMPLETED if finished and operation.state == RUNNING else operation.state
        new = (*operation.new_workflow_ids, *page.new)
        await services.queue.put_operation(
            operation.model_copy(
                update={
                    "done": done,
                    "skipped": skipped,
                    "new_workflow_ids": new,
                    "state": state,
                }
            )
        )


async def _operation(services: Services, operation_id: str) -> Operation:
    operation = await services.queue.operation(operation_id)
    if operation is None:
        raise NotFound(operation_id, "check the id: it was in the answer that began it")
    return operation
