"""Whether one more paid call may begin: budgets, limits and breaker, decided in one place.

A store loads a `Situation`, and writes what follows from the decision in the same transaction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from enum import Enum

from pydantic import BaseModel, ConfigDict, Field

from etter_dagster.model.breaker import Breaker
from etter_dagster.model.ledger import MICRO


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Why(str, Enum):
    """Why a call may not begin now."""

    BREAKER = "breaker"
    PAUSED = "paused"
    BUDGET = "budget"
    CONCURRENCY = "concurrency"
    RATE = "rate"
    ATTEMPTS = "attempts"


class Refusal(_Record):
    """A call may not begin now.

    Args:
        why: The rule.
        message: For people.
        at: When that was found, by the store's clock.
        retry_at: When it may, as far as that is known.
        last_error: Of the last attempt, where `why` is that there were enough.
    """

    why: Why
    message: str
    at: datetime
    retry_at: datetime | None = None
    last_error: str | None = None

    @property
    def seconds_left(self) -> float | None:
        """Until `retry_at`."""
        if self.retry_at is None:
            return None
        return max(0.0, (self.retry_at - self.at).total_seconds())


class SpendLimits(_Record):
    """What the settings allow; None: no limit. Money is in the unit of the settings."""

    concurrent: int | None = None
    per_minute: float | None = None
    per_day: float | None = None
    per_month: float | None = None
    companies: Mapping[str, float] = Field(default_factory=dict)  # a month, each by itself
    cost: float = 0.0
    attempts: int = 5

    @property
    def window(self) -> tuple[int, timedelta]:
        """So many calls may begin in any such time (`per_minute`, also when it is a fraction)."""
        assert self.per_minute is not None
        count = math.ceil(self.per_minute)
        return count, timedelta(seconds=60.0 * count / self.per_minute)


class Situation(_Record):
    """What counts for one assessor now (`at`, by the store's clock); money in millionths, reserved
    included.

    `begun` counts the calls that began within the window of the limits, `frees_at` is when the next
    may begin if that is all of them.
    """

    at: datetime
    breaker: Breaker = Field(default_factory=Breaker)
    probing: bool = False  # the breaker's probe is out and its worker lives
    outstanding: int = 0
    begun: int = 0
    frees_at: datetime | None = None
    day: int = 0
    month: int = 0
    companies: Mapping[str, int] = Field(default_factory=dict)


class Room(_Record):
    """How far work may go on: `closed` says that no paid call may begin, `calls` how many more may
    be outstanding (None: any number), `closed_companies` whose budget is spent.
    """

    closed: Refusal | None = None
    calls: int | None = None
    closed_companies: tuple[str, ...] = ()


def periods(now: datetime) -> tuple[str, str]:
    """The names of the present day and month, UTC."""
    day = now.astimezone(timezone.utc).date().isoformat()
    return day, day[:7]


def refuse(
    situation: Situation,
    limits: SpendLimits,
    *,
    company: str | None,
    share: float = 1.0,
) -> Refusal | None:
    """Why no call may begin now, or None if one may.

    Args:
        situation: What counts.
        limits: What is allowed.
        company: Whose call it is; None leaves company budgets out.
        share: Of the cost of an assessment that the call takes.
    """
    return (
        _by_breaker(situation)
        or _by_budget(situation, limits, company, share)
        or _by_limits(situation, limits)
    )


def room(situation: Situation, limits: SpendLimits) -> Room:
    """How far work may go on.

    Args:
        situation: What counts.
        limits: What is allowed.
    """
    closed = _by_breaker(situation) or _by_budget(situation, limits, None, 1.0)
    cost = round(limits.cost * MICRO)
    spent = [
        company
        for company, cap in limits.companies.items()
        if not _fits(situation.companies.get(company, 0), cost, cap)
    ]
    if closed is not None:
        return Room(closed=closed, calls=0, closed_companies=tuple(sorted(spent)))
    more = [
        None if limits.concurrent is None else limits.concurrent - situation.outstanding,
        None if limits.per_minute is None else limits.window[0] - situation.begun,
        _affordable(situation.day, cost, limits.per_day),
        _affordable(situation.month, cost, limits.per_month),
        1 if situation.breaker.half_open(situation.at) else None,
    ]
    known = [n for n in more if n is not None]
    calls = situation.outstanding + max(0, min(known)) if known else None
    return Room(calls=calls, closed_companies=tuple(sorted(spent)))


def budget_left(situation: Situation, limits: SpendLimits) -> float | None:
    """Money that may still be spent today; None: any.

    Args:
        situation: What counts.
        limits: What is allowed.
    """
    left = [
        cap - spent / MICRO
        for cap, spent in ((limits.per_day, situation.day), (limits.per_month, situation.month))
        if cap is not None
    ]
    return max(0.0, min(left)) if left else None


def _by_breaker(situation: Situation) -> Refusal | None:
    breaker, now = situation.breaker, situation.at
    if breaker.is_open(now):
        return Refusal(
            why=Why.BREAKER,
            message="the assessor is failing and is left alone for a while",
            at=now,
            retry_at=breaker.open_until,
        )
    if breaker.half_open(now) and situation.probing:
        message = "the assessor was failing and is being tried"
        return Refusal(why=Why.BREAKER, message=message, at=now)
    if breaker.paused_until is not None and now < breaker.paused_until:
        return Refusal(
            why=Why.PAUSED,
            message="the assessor asked for a pause",
            at=now,
            retry_at=breaker.paused_until,
        )
    return None


def _by_budget(
    situation: Situation, limits: SpendLimits, company: str | None, share: float
) -> Refusal | None:
    now = situation.at
    cost = round(limits.cost * share * MICRO)
    if limits.per_month is not None and not _fits(situation.month, cost, limits.per_month):
        what = "this month's budget is spent"
        return _spent(what, "ETTER_BUDGET_PER_MONTH", now, _next_month(now))
    if limits.per_day is not None and not _fits(situation.day, cost, limits.per_day):
        return _spent("today's budget is spent", "ETTER_BUDGET_PER_DAY", now, _next_day(now))
    if company is None or company not in limits.companies:
        return None
    cap = limits.companies[company]
    if not _fits(situation.companies.get(company, 0), cost, cap):
        what = f"this month's budget of {company} is spent"
        setting = "its budget_per_month in ETTER_COMPANIES_FILE"
        return _spent(what, setting, now, _next_month(now))
    return None


def _by_limits(situation: Situation, limits: SpendLimits) -> Refusal | None:
    if limits.concurrent is not None and situation.outstanding >= limits.concurrent:
        message = "as many calls as allowed are outstanding"
        return Refusal(why=Why.CONCURRENCY, message=message, at=situation.at)
    if limits.per_minute is not None and situation.begun >= limits.window[0]:
        return Refusal(
            why=Why.RATE,
            message="as many calls as allowed have begun",
            at=situation.at,
            retry_at=situation.frees_at,
        )
    return None


def _spent(what: str, setting: str, now: datetime, until: datetime) -> Refusal:
    return Refusal(
        why=Why.BUDGET,
        at=now,
        message=f"{what}; it goes on at {until:%Y-%m-%dT%H:%M:%SZ}, or raise {setting}",
        retry_at=until,
    )


def _fits(spent: int, cost: int, cap: float) -> bool:
    # A call that costs nothing stops too once the budget is spent.
    return spent + max(1, cost) <= round(cap * MICRO)


def _affordable(spent: int, cost: int, cap: float | None) -> int | None:
    if cap is None or cost == 0:
        return None
    return max(0, round(cap * MICRO) - spent) // cost


def _next_day(now: datetime) -> datetime:
    start = now.astimezone(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    return start + timedelta(days=1)


def _next_month(now: datetime) -> datetime:
    first = _next_day(now).replace(day=1)
    return first if first > now else (first + timedelta(days=32)).replace(day=1)
