"""What an operator wants to see of all roles at once: which failed and why, and how often."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.role import Role
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import find_pushes
from etter_dagster.stores.protocols import PushFilter

TROUBLED = (RoleStatus.FAILED, RoleStatus.DEGRADED, RoleStatus.VALIDATION_ERROR)
_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class TroubledRole:
    """A role that did not become ready."""

    role: Role
    code: str | None
    message: str | None
    attempts: int | None
    source: str | None
    ended_at: datetime


async def roles_in(services: Services, states: Sequence[RoleStatus]) -> AsyncIterator[Role]:
    """All roles in these settled states, in the order of their making.

    Args:
        services: Graph.
        states: Which.
    """
    after = 0
    while page := await services.graph.roles_in(states, after=after, limit=_PAGE):
        after = page[-1].sequence
        for role in page:
            yield role


async def troubled_roles(services: Services) -> list[TroubledRole]:
    """Roles that failed, are degraded, or were refused; the newest first.

    Args:
        services: Stores.
    """
    roles = [role async for role in roles_in(services, TROUBLED)]
    pushes = await find_pushes(services, [r.workflow_id for r in roles if r.workflow_id])
    found = []
    for role in roles:
        push = pushes.get(role.workflow_id or "")
        message = push.error.message if push and push.error else None
        if message is None and push is not None:
            message = next((s.error_message for s in push.steps if s.error_message), None)
        if role.state is RoleStatus.VALIDATION_ERROR:
            message = "; ".join(mark.required or "" for mark in role.stale_marks)
        found.append(
            TroubledRole(
                role=role,
                code=push.error.code if push and push.error else None,
                message=message,
                attempts=push.attempts if push else None,
                source=push.source.value if push else None,
                ended_at=(push.completed_at if push else None) or role.updated_at,
            )
        )
    return sorted(found, key=lambda t: t.ended_at, reverse=True)


async def failure_rate(services: Services, *, hours: float) -> tuple[int, int]:
    """(failed, ended) pushes of the last hours; cancelled ones do not count.

    Args:
        services: Graph, clock.
        hours: How far back, by the time at which they were queued.
    """
    where = PushFilter(since=services.clock() - timedelta(hours=hours))
    states = (await services.graph.count_history(where)).by_state
    failed = states.get(WorkflowState.FAILED.value, 0)
    done = sum(states.get(s.value, 0) for s in (WorkflowState.READY, WorkflowState.DEGRADED))
    return failed, failed + done
