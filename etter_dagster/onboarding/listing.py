"""Lists of pushes over both stores: those at work in the queue, those that ended in the history."""

from __future__ import annotations

from collections import Counter

from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push
from etter_dagster.onboarding.services import Services
from etter_dagster.stores.protocols import PushCounts, PushFilter, push_cursor

_PAGE = 1000
_LOOKS = 4


async def list_pushes(
    services: Services, where: PushFilter, *, cursor: str | None = None, limit: int = 50
) -> tuple[list[Push], str | None]:
    """A page of the pushes that a filter meets, newest first, and the next page's cursor.

    Args:
        services: Stores.
        where: Which pushes.
        cursor: What the page before gave.
        limit: At most so many.
    """
    # The queue first: a push that moves to the history in between is then seen twice, not never.
    here = await services.queue.list_pushes(where, cursor=cursor, limit=limit)
    ended = await services.graph.list_history(where, cursor=cursor, limit=limit)
    found = {push.workflow_id: push for push in (*here.items, *ended.items)}
    ordered = sorted(found.values(), key=lambda p: (p.queued_at, p.workflow_id), reverse=True)
    more = len(ordered) > limit or here.next_cursor or ended.next_cursor
    page = ordered[:limit]
    return page, push_cursor(page[-1]) if more and page else None


async def count_pushes(services: Services, where: PushFilter) -> PushCounts:
    """How many pushes a filter meets, by state and by error code.

    Args:
        services: Stores.
        where: Which pushes.
    """
    for _ in range(_LOOKS):
        here = await services.queue.count_pushes(where)
        ended = await services.graph.count_history(where)
        both = await _in_both(services, where, here)
        if not here.total or await services.queue.count_pushes(where) == here:
            break  # nothing moved from one to the other while they were counted
    return PushCounts(
        total=here.total + ended.total - len(both),
        by_state=Counter(here.by_state)
        + Counter(ended.by_state)
        - Counter(push.status.value for push in both),
        by_error_code=Counter(here.by_error_code)
        + Counter(ended.by_error_code)
        - Counter(push.error.code for push in both if push.error),
    )


async def _in_both(services: Services, where: PushFilter, here: PushCounts) -> list[Push]:
    """Those on their way: written to the history, not yet taken from the queue."""
    ended = tuple(state for state in WorkflowState if state.terminal and here.by_state.get(state))
    if not ended:
        return []
    found = await services.queue.list_pushes(
        where.model_copy(update={"states": ended}), cursor=None, limit=_PAGE
    )
    return list((await services.graph.history_of([p.workflow_id for p in found.items])).values())


async def every_push_id(services: Services, where: PushFilter) -> list[str]:
    """Ids of all pushes that a filter meets, newest first."""
    ids: list[str] = []
    cursor: str | None = None
    while True:
        page, cursor = await list_pushes(services, where, cursor=cursor, limit=_PAGE)
        ids += [push.workflow_id for push in page]
        if cursor is None:
            return ids
