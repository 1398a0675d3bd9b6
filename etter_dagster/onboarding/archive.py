"""Ended pushes on their way from the queue into the graph's history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from etter_dagster.model.errors import ErrorCode
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.notification import notices_of
from etter_dagster.model.push import Push, StepStatus
from etter_dagster.onboarding.mock import is_mock_beside_paid
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import find_push

GivenUp = Callable[[str, str | None, Sequence[str]], Awaitable[None]]  # role, run, assets


async def archive(services: Services, limit: int = 500, *, tell: GivenUp | None = None) -> int:
    """Moves up to `limit` ended pushes into the history; safe to repeat and to run twice at once.

    The history is written first, then who is to be told, so a crash in between only repeats both.

    Args:
        services: The queue and the history.
        limit: How many at once.
        tell: Hears of roles that failed because a push was given up, as `Reporter.given_up`.

    Returns:
        How many were moved.
    """
    ended = await services.queue.outbox(limit)
    for push in ended:
        if push.error and push.error.code == ErrorCode.ATTEMPTS_EXHAUSTED.value:
            settled = await _settle_given_up(services, push)
            if settled and tell is not None:
                await tell(push.role_id, push.run_id, _not_made(services, push))
    if ended:
        await services.graph.append_history(ended)
        if services.notices is not None:
            await services.notices.put(notices_of(ended))
        await services.queue.archived([push.workflow_id for push in ended])
    return len(ended)


async def _settle_given_up(services: Services, push: Push) -> bool:
    """The queue gave the push up when its last worker was lost, so no walk settled its role.

    Returns:
        Whether the role has failed by it.
    """
    if await _settled_later(services, push):
        return False
    role = await services.graph.role(push.role_id)
    if is_mock_beside_paid(services, role, push.use_mock):
        return False
    await services.graph.put_role(push.company_id, push.role_name)
    await services.graph.settle_role(
        push.role_id, RoleStatus.FAILED, workflow_id=push.workflow_id, token=None
    )
    return True


def _not_made(services: Services, push: Push) -> tuple[str, ...]:
    """The assets of the step that the last worker was at."""
    ended = {s.name for s in push.steps if s.status not in (StepStatus.PENDING, StepStatus.RUNNING)}
    return next((step.assets for step in services.steps if step.name not in ended), ())


async def _settled_later(services: Services, push: Push) -> bool:
    """Whether a later push works on the role, or settled it. One that was refused did not."""
    if push.role_id in await services.queue.active([push.role_id]):
        return True
    role = await services.graph.role(push.role_id)
    if role is None or role.workflow_id is None:
        return False
    settler = await find_push(services, role.workflow_id)
    return settler is not None and settler.queued_at > push.queued_at


async def forget_old(services: Services) -> int:
    """Drops live detail of pushes that ended longer ago than `REDIS_STATUS_TTL_SECONDS`."""
    lifetime = timedelta(seconds=services.settings.redis_status_ttl_seconds)
    return await services.queue.prune(before=services.clock() - lifetime)
