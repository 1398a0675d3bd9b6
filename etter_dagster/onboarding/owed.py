"""What pushes that were accepted already will still cost."""

from __future__ import annotations

from collections.abc import AsyncIterator

from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push, StepStatus
from etter_dagster.onboarding.ai_assessment import AiAssessment
from etter_dagster.onboarding.services import Services
from etter_dagster.stores.protocols import PushFilter

_PAGE = 1_000


async def owed(services: Services, cost: float | None) -> dict[str, float]:
    """Money for pushes that wait or are in work, less what is reserved or paid, by company.

    Args:
        services: Queue, and the guard over paid calls.
        cost: Of one assessment; None: nobody knows, so nothing is counted.
    """
    guard = services.assessors.guard
    if guard is None or not cost:
        return {}
    # Waiting ones first: what is claimed meanwhile is counted twice rather than missed.
    waiting = await services.queue.waiting_for(guard.info.name)
    money = {company: number * cost for company, number in waiting.items()}
    async for push in _in_work(services, guard.info.name):
        left = max(0.0, cost - await _paid(services, push, cost))
        money[push.company_id] = money.get(push.company_id, 0.0) + left
    return money


async def _in_work(services: Services, assessor: str) -> AsyncIterator[Push]:
    where = PushFilter(states=(WorkflowState.PROCESSING,))
    cursor: str | None = None
    while True:
        page = await services.queue.list_pushes(where, cursor=cursor, limit=_PAGE)
        for push in page.items:
            if push.assessor == assessor:
                yield push
        cursor = page.next_cursor
        if cursor is None:
            return


async def _paid(services: Services, push: Push, cost: float) -> float:
    """What the ledger holds of a push's own cost."""
    status = next((s.status for s in push.steps if s.name == AiAssessment.name), None)
    if status is StepStatus.COMPLETED:
        return cost
    if status in (None, StepStatus.PENDING) and push.attempts <= 1:
        return 0.0
    attempts = await services.ledger.attempts(role_id=push.role_id, limit=50)
    return sum(a.cost for a in attempts if a.workflow_id == push.workflow_id)
