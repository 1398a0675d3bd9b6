"""Which stale roles are assessed again tonight, in which order, and what is left out and why. Pure.

Inputs first, then age, a changed assessor last and only as far as its roll-out goes; the oldest
first within each; all cut by the budgets.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from etter_dagster.model.assessment import AssessorInfo
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.purse import Purse
from etter_dagster.model.role import Role
from etter_dagster.model.staleness import StaleReason, stale_reasons
from etter_dagster.model.taxonomy_changes import REMOVED

ASSESSED = (RoleStatus.READY, RoleStatus.DEGRADED, RoleStatus.STALE, RoleStatus.FAILED)


class Why(str, Enum):
    """The most pressing of a role's reasons, in the order of the plan."""

    INPUTS = "inputs"
    AGE = "age"
    ASSESSOR = "assessor"


class Verdict(str, Enum):
    """What the plan says of a stale role."""

    PUSH = "push"
    IN_WORK = "in work already"
    PUSHED_TODAY = "pushed today already"
    ROLL_OUT = "left out: the roll-out of the changed assessor goes on tomorrow"
    DAY = "left out: over the day's budget"
    MONTH = "left out: over the month's budget"
    COMPANY = "left out: over the company's budget"


@dataclass(frozen=True, slots=True)
class StaleRole:
    """A role whose current assessment no longer holds."""

    role_id: str
    company_id: str
    role_name: str
    reasons: tuple[StaleReason, ...]
    why: Why
    made_at: datetime
    inputs_hash: str
    free: bool  # a finished assessment of its inputs becomes current again: nothing is paid


@dataclass(frozen=True, slots=True)
class PlannedRole:
    """A stale role with the verdict on it; `cost` is None where nobody knows."""

    role: StaleRole
    verdict: Verdict
    cost: float | None


@dataclass(frozen=True)
class Plan:
    """All stale roles, those to push first in the order of pushing.

    `cost` is that of what is pushed (None where nobody knows), `queued_cost` that of pushes
    accepted before, and `budget_left` what the day and the month cover beside those (None:
    anything).
    """

    roles: tuple[PlannedRole, ...]
    cost: float | None
    budget_left: float | None = None
    queued_cost: float = 0.0

    @property
    def pushes(self) -> list[StaleRole]:
        """What is to be pushed, in order."""
        return [planned.role for planned in self.roles if planned.verdict is Verdict.PUSH]

    @property
    def verdicts(self) -> dict[str, int]:
        """How many roles got each verdict."""
        return dict(Counter(planned.verdict.value for planned in self.roles))


def stale_role(
    role: Role, *, assessor: AssessorInfo, now: datetime, max_age_days: float
) -> StaleRole | None:
    """The role as the plan sees it; None if there is nothing to do.

    A role that the taxonomy dropped is left alone. One that failed is tried again as long as its
    older assessment no longer holds.

    Args:
        role: Any role.
        assessor: The configured one.
        now: The present.
        max_age_days: The greatest age of an assessment.
    """
    if role.current is None or role.state not in ASSESSED:
        return None
    if role.taxonomy is not None and role.taxonomy.status == REMOVED:
        return None
    inputs = role.inputs
    reasons = stale_reasons(
        role.current.basis, inputs=inputs, assessor=assessor, now=now, max_age_days=max_age_days
    )
    restored = not reasons and role.state is RoleStatus.STALE
    if not reasons and not restored:
        return None
    return StaleRole(
        role_id=role.role_id,
        company_id=role.company_id,
        role_name=role.role_name,
        reasons=reasons or role.stale_marks,
        why=Why.INPUTS if restored else _why(reasons),
        made_at=role.current.basis.made_at,
        inputs_hash=inputs.inputs_hash,
        free=restored,
    )


def _why(reasons: Iterable[StaleReason]) -> Why:
    fields = {reason.field for reason in reasons}
    if fields & {"jd_hash", "documents_hash", "draup_role"}:
        return Why.INPUTS
    return Why.AGE if "age" in fields else Why.ASSESSOR


def rollout_tonight(assessed: int, percent: float, done_today: int) -> int:
    """How many roles still get a changed assessor tonight.

    Args:
        assessed: Roles that have an assessment.
        percent: Of them, a night.
        done_today: That got it today already.
    """
    return max(0, math.ceil(assessed * percent / 100) - done_today)


def make_plan(
    stale: Iterable[StaleRole],
    *,
    cost: float | None,
    purse: Purse,
    rollout_left: int,
    in_work: Set[str] = frozenset(),
    pushed_today: Set[tuple[str, str]] = frozenset(),
) -> Plan:
    """The plan. The same roles at the same time give the same plan.

    Args:
        stale: All stale roles.
        cost: Of one assessment; None: nobody knows.
        purse: Money that may be spent.
        rollout_left: Roles that may still get a changed assessor.
        in_work: Ids of roles with an active push.
        pushed_today: Id and inputs of roles pushed by an earlier plan of the day.
    """
    order = list(Why)
    ordered = sorted(stale, key=lambda r: (order.index(r.why), r.made_at, r.role_id))
    planned: list[PlannedRole] = []
    money = purse.copy()
    spent = 0.0
    for role in ordered:
        price = 0.0 if role.free else cost
        verdict = Verdict.PUSH
        if role.role_id in in_work:
            verdict = Verdict.IN_WORK
        elif (role.role_id, role.inputs_hash) in pushed_today:
            verdict = Verdict.PUSHED_TODAY
        elif role.why is Why.ASSESSOR and rollout_left <= 0:
            verdict = Verdict.ROLL_OUT
        elif not role.free and (over := money.take(role.company_id, price)) is not None:
            verdict = Verdict[over.name]
        else:
            spent += price or 0.0
            rollout_left -= role.why is Why.ASSESSOR
        planned.append(PlannedRole(role, verdict, price))
    planned.sort(key=lambda p: p.verdict is not Verdict.PUSH)  # stable: the order within stays
    unknown = cost is None and any(p.verdict is Verdict.PUSH and p.cost is None for p in planned)
    return Plan(tuple(planned), None if unknown else spent, purse.left, purse.aside)


def mean_cost(costs: Mapping[str, tuple[float, int]], assessor: AssessorInfo) -> float | None:
    """The mean of an assessor's measured costs; None before the first.

    Args:
        costs: Sum and number by `AssessorInfo.key`.
        assessor: Whose.
    """
    total, count = costs.get(assessor.key, (0.0, 0))
    return total / count if count else None
