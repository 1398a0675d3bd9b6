"""A paid assessor made into an `Assessor`: nothing of it is called but through the ledger."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from etter_dagster.assessors.guard.budgets import CompanyBudgets
from etter_dagster.assessors.guard.calls import WAIT_SECONDS, LedgeredCalls, failure, postponed
from etter_dagster.assessors.guard.holder import Holder
from etter_dagster.assessors.guard.keys import idempotency_key, subject
from etter_dagster.assessors.protocol import (
    ATTEMPTS,
    AssessmentRequest,
    PaidAssessor,
    PaidCalls,
)
from etter_dagster.model.assessment import AssessmentOutputs, AssessorInfo
from etter_dagster.model.documents import text_hash
from etter_dagster.model.errors import TransientError
from etter_dagster.model.ledger import CallId
from etter_dagster.model.purse import Purse, purse_now
from etter_dagster.model.spending import (
    Refusal,
    Room,
    Situation,
    SpendLimits,
    Why,
    budget_left,
    refuse,
    room,
)
from etter_dagster.settings import Settings

if TYPE_CHECKING:
    from etter_dagster.stores.ledger import Ledger

T = TypeVar("T")
PING_SECONDS = 5.0
# An open breaker rests for so many pauses between repetitions: slow where they are slow.
RESTS, SHORTEST_REST = 3.0, 1.0
_CLOSING = (Why.BREAKER, Why.PAUSED, Why.BUDGET)


class GuardedAssessor:
    """`Assessor` over a paid one.

    Args:
        paid: What makes the calls.
        ledger: Shared by all processes; closed by whoever opened it.
        settings: Limits, budgets, lease time.
        clock: The present, in UTC.
    """

    def __init__(
        self,
        paid: PaidAssessor,
        ledger: Ledger,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        self._paid = paid
        self._ledger = ledger
        self._clock = clock
        self._greatest_age = timedelta(days=settings.max_assessment_age_days)
        self._holder = Holder(ledger, settings.lease_seconds)
        self._cost_unknown = settings.cost_per_assessment is None
        self._pinged = float("-inf")
        self._limits = spend_limits(settings)
        self._company_budgets = CompanyBudgets(settings.companies_file)
        self.rest_seconds = max(SHORTEST_REST, RESTS * settings.retry_backoff_seconds)

    @property
    def info(self) -> AssessorInfo:
        """That of the paid one."""
        return self._paid.info

    @property
    def limits(self) -> SpendLimits:
        """What is allowed now; companies' budgets may change while the process runs."""
        return self._limits.model_copy(update={"companies": self._company_budgets.now})

    async def assess(self, request: AssessmentRequest) -> AssessmentOutputs:
        """Assesses a role; finds what was paid for before.

        Raises:
            AssessmentFailed, TransientError: As the paid one says.
            Postponed: The breaker is open or a budget is spent; nothing was sent.
        """
        outputs, cost = await self.run(request, lambda calls: self._paid.assess(request, calls))
        return outputs.model_copy(update={"cost": cost})

    async def run(
        self, request: AssessmentRequest, work: Callable[[PaidCalls], Awaitable[T]]
    ) -> tuple[T, float | None]:
        """Does work whose paid calls are about a role's inputs; gives what it cost, if known.

        Args:
            request: The role and its inputs.
            work: Makes all its paid calls through what it is given.

        Raises:
            AssessmentFailed, TransientError, Postponed: As for `assess`.
        """
        async with self._holder.taking(subject(request, self.info)):
            calls = self._calls(request)
            try:
                done = await work(calls)
            except TransientError as error:
                if not calls.told:  # it was a free call that failed
                    await self._note(request.role_id, error)
                await self._give_up_if_closed(error)
                raise
        unknown = self._cost_unknown and not calls.cost
        return done, None if unknown else calls.cost

    async def room(self) -> Room:
        """How far work may go on; a half-open breaker is tried with a free call first."""
        situation, limits = await self._now()
        half_open = situation.breaker.half_open(situation.at) and not situation.probing
        if half_open and not await self._there():
            situation, limits = await self._now()
        return room(situation, limits)

    async def closed(self, company: str | None = None) -> Refusal | None:
        """Why no paid call begins for a while; limits that free themselves are no such reason.

        Args:
            company: Counts its own budget too.
        """
        situation, limits = await self._now()
        found = refuse(situation, limits, company=company)
        return found if found is not None and found.why in _CLOSING else None

    async def refusal(self, company: str) -> Refusal | None:
        """Whose budget is spent already, if any is.

        Args:
            company: Who wants to push.
        """
        found = await self.closed(company)
        return found if found is not None and found.why is Why.BUDGET else None

    async def budget_left(self) -> float | None:
        """Money that may still be spent today; None: any."""
        return budget_left(*await self._now())

    async def purse(self) -> Purse:
        """What a plan may spend."""
        return purse_now(*await self._now())

    async def ping(self) -> None:
        """Raises `TransientError` unless the service answers and the breaker lets calls through."""
        situation, _ = await self._now()
        if situation.breaker.is_open(situation.at):
            raise TransientError("its calls are failing")
        await self._paid.ping()

    async def close(self) -> None:
        """Ends what is open, as lost, and closes the paid one."""
        await self._holder.close()
        await self._paid.close()

    async def _now(self) -> tuple[Situation, SpendLimits]:
        """What counts, and the limits it was looked up under: both of one moment."""
        limits = self.limits
        return await self._ledger.situation(self.info.name, limits), limits

    def _calls(self, request: AssessmentRequest) -> LedgeredCalls:
        return LedgeredCalls(
            ledger=self._ledger,
            limits=self.limits,
            call=self._call(request, renew=request.renew),
            renewed=self._call(request, renew=True),
            oldest=self._clock() - self._greatest_age,
            workflow_id=request.workflow_id,
            text_hash=text_hash(request.text),
            holder=self._holder.name,
            rest_seconds=self.rest_seconds,
        )

    def _call(self, request: AssessmentRequest, *, renew: bool) -> CallId:
        return CallId(
            key=idempotency_key(request, self.info, renew=renew),
            part="",
            subject=subject(request, self.info),
            assessor=self.info.name,
            role_id=request.role_id,
            company_id=request.company_id,
        )

    async def _there(self) -> bool:
        """Whether the service answers at all; asked seldom, and a no keeps the breaker open."""
        if time.monotonic() - self._pinged < PING_SECONDS:
            return True
        try:
            await self._paid.ping()
        except TransientError as error:
            await self._note("ping", error)
            return False
        self._pinged = time.monotonic()
        return True

    async def _note(self, role_id: str, error: TransientError) -> None:
        signal = failure(error, role_id=role_id, repeated=False, rest_seconds=self.rest_seconds)
        await self._ledger.note(self.info.name, signal)

    async def _give_up_if_closed(self, error: TransientError) -> None:
        """Gives the push back rather than burn its attempts where everybody fails."""
        situation, limits = await self._now()
        refusal = refuse(situation, limits, company=None)
        if refusal is None or refusal.why not in (Why.BREAKER, Why.PAUSED):
            return
        if refusal.why is Why.BREAKER or (error.retry_after or 0) > WAIT_SECONDS:
            raise postponed(refusal) from error


def spend_limits(settings: Settings) -> SpendLimits:
    """What the settings allow, but for the budgets of single companies.

    Args:
        settings: Limits and budgets.
    """
    return SpendLimits(
        concurrent=settings.assessor_max_concurrent,
        per_minute=settings.assessor_max_per_minute,
        per_day=settings.budget_per_day,
        per_month=settings.budget_per_month,
        cost=settings.cost_per_assessment or 0.0,
        attempts=ATTEMPTS,
    )
