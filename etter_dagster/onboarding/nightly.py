"""Re-assessing what is stale: the plan made from the graph, and pushing it. The nightly schedule,
Dagster's UI and the command line all come here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from etter_dagster.model.assessment import AssessorInfo
from etter_dagster.model.errors import AlreadyProcessing, EtterError
from etter_dagster.model.identity import derived_workflow_id
from etter_dagster.model.purse import Purse
from etter_dagster.model.push import Push, Source, WorkflowOptions
from etter_dagster.model.reassessment import (
    ASSESSED,
    Plan,
    StaleRole,
    Why,
    make_plan,
    mean_cost,
    rollout_tonight,
    stale_role,
)
from etter_dagster.model.role import Role
from etter_dagster.onboarding.accept import Accepted, accept_many
from etter_dagster.onboarding.check import PushOrder
from etter_dagster.onboarding.collecting import rare_collections
from etter_dagster.onboarding.owed import owed
from etter_dagster.onboarding.services import Services
from etter_dagster.stores.protocols import PushFilter

PUSHED_BY = "nightly_reassessment"
ROLL_OUT_BY = f"{PUSHED_BY}: roll-out"
_PAGE = 2_000
_PUSHES_AT_ONCE = 2_000


@dataclass(frozen=True)
class Nightly:
    """What pushing a plan came to: accepted pushes, and refusals by message."""

    plan: Plan
    pushed: int
    refused: dict[str, int]


async def reassessment_plan(services: Services) -> Plan:
    """What would be assessed again now, and why; changes nothing.

    Args:
        services: Stores, settings, assessors, clock.
    """
    stale: list[StaleRole] = []
    costs: dict[str, tuple[float, int]] = {}
    assessed = 0
    settings, assessor = services.settings, services.assessors.configured.info
    now = services.clock()
    with rare_collections():
        async for role in _assessed_roles(services):
            assert role.current is not None
            assessed += 1
            if role.current.cost is not None:
                total, count = costs.get(role.current.basis.assessor.key, (0.0, 0))
                costs[role.current.basis.assessor.key] = (total + role.current.cost, count + 1)
            found = stale_role(
                role, assessor=assessor, now=now, max_age_days=settings.max_assessment_age_days
            )
            if found is not None:
                stale.append(found)
    stale = await _with_free(services, stale, assessor, now)
    cost = _cost(services, mean_cost(costs, assessor))
    today = await _pushed_today(services)
    rolled_out = sum(push.created_by == ROLL_OUT_BY for push in today.values())
    return make_plan(
        stale,
        cost=cost,
        purse=await _purse(services, cost),
        rollout_left=rollout_tonight(assessed, settings.assessor_rollout_percent, rolled_out),
        in_work=await _in_work(services, stale),
        pushed_today={
            (role.role_id, role.inputs_hash)
            for role in stale
            if _workflow_id(services, role) in today
        },
    )


async def push_plan(services: Services, plan: Plan) -> Nightly:
    """Pushes what the plan says, in its order; a second time on the same day pushes nothing twice.

    Args:
        services: Stores, settings, clock.
        plan: Just made.
    """
    pushed = 0
    refused: Counter[str] = Counter()
    todo = plan.pushes
    for start in range(0, len(todo), _PUSHES_AT_ONCE):
        some = todo[start : start + _PUSHES_AT_ONCE]
        for answer in await accept_many(services, [_order(services, role) for role in some]):
            if isinstance(answer, Accepted):
                pushed += 1
            elif isinstance(answer, AlreadyProcessing):
                refused["somebody else pushed it meanwhile"] += 1
            elif isinstance(answer, EtterError):
                refused[answer.message] += 1
        await asyncio.sleep(0)
    return Nightly(plan, pushed, dict(refused))


async def _with_free(
    services: Services, stale: Sequence[StaleRole], assessor: AssessorInfo, now: datetime
) -> list[StaleRole]:
    """The same roles; free are also those that an earlier assessment fits, which is restored."""
    if services.assessors.guard is None:
        return list(stale)
    # Of one that is only too old, an earlier one is older still.
    asked = [role for role in stale if not role.free and role.why is not Why.AGE]
    oldest = now - timedelta(days=services.settings.max_assessment_age_days)
    free: set[str] = set()
    for start in range(0, len(asked), _PAGE):
        hashes = {role.role_id: role.inputs_hash for role in asked[start : start + _PAGE]}
        free |= await services.graph.assessed_before(hashes, assessor.key, not_before=oldest)
    return [replace(role, free=True) if role.role_id in free else role for role in stale]


def _cost(services: Services, measured: float | None) -> float | None:
    """Of one assessment; the built-in assessor's cost nothing, whatever is set."""
    if services.assessors.guard is None:
        return 0.0
    cost = services.settings.cost_per_assessment
    return measured if cost is None else cost


async def _purse(services: Services, cost: float | None) -> Purse:
    """What the plan may spend: the budgets, less what is reserved and what is queued already."""
    guard = services.assessors.guard
    if guard is None:
        return Purse()
    due = await owed(services, cost)  # before the budgets: rather counted twice than missed
    purse = await guard.purse()
    purse.put_aside(due)
    return purse


async def _assessed_roles(services: Services) -> AsyncIterator[Role]:
    after = 0
    while page := await services.graph.roles_in(ASSESSED, after=after, limit=_PAGE):
        after = page[-1].sequence
        for role in page:
            if role.current is not None:
                yield role


async def _in_work(services: Services, stale: Sequence[StaleRole]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(stale), _PAGE):
        ids = [role.role_id for role in stale[start : start + _PAGE]]
        found |= set(await services.queue.active(ids))
    return found


async def _pushed_today(services: Services) -> dict[str, Push]:
    """Pushes of the day by id, those that have ended too."""
    since = datetime.combine(_day(services), time.min, _zone(services)).astimezone(timezone.utc)
    where = PushFilter(source=Source.NIGHTLY, since=since)
    found: dict[str, Push] = {}
    for read in (services.queue.list_pushes, services.graph.list_history):
        cursor: str | None = None
        while True:
            page = await read(where, cursor=cursor, limit=_PAGE)
            found |= {push.workflow_id: push for push in page.items}
            cursor = page.next_cursor
            if cursor is None:
                break
    return found


def _order(services: Services, role: StaleRole) -> PushOrder:
    return PushOrder(
        company_id=role.company_id,
        role_name=role.role_name,
        options=WorkflowOptions(notify_on_complete=False),
        source=Source.NIGHTLY,
        created_by=ROLL_OUT_BY if role.why is Why.ASSESSOR else PUSHED_BY,
        workflow_id=_workflow_id(services, role),
    )


def _workflow_id(services: Services, role: StaleRole) -> str:
    """One push per role, inputs and day."""
    day = _day(services).isoformat()
    return derived_workflow_id("nightly", day, role.role_id, role.inputs_hash)


def _day(services: Services) -> date:
    return services.clock().astimezone(_zone(services)).date()


def _zone(services: Services) -> ZoneInfo:
    return ZoneInfo(services.settings.nightly_timezone)
