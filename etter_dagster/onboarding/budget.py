"""What the budget says at the door."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.onboarding.services import Services


def budget_check(services: Services) -> Callable[[str, bool], Awaitable[EtterError | None]]:
    """A check for many orders: asks once a company.

    Gives a function of the company and `use_mock`, whose answer is `BUDGET_EXCEEDED` where the
    budget is spent already. What was accepted before waits instead.

    Args:
        services: Whose guard knows.
    """
    known: dict[str, EtterError | None] = {}

    async def check(company_id: str, use_mock: bool) -> EtterError | None:
        if use_mock or services.assessors.guard is None:
            return None
        if company_id not in known:
            known[company_id] = await _refusal(services, company_id)
        return known[company_id]

    return check


async def _refusal(services: Services, company_id: str) -> EtterError | None:
    assert services.assessors.guard is not None
    spent = await services.assessors.guard.refusal(company_id)
    if spent is None:
        return None
    left = math.ceil(spent.seconds_left or 0)
    return EtterError(ErrorCode.BUDGET_EXCEEDED, spent.message, retry_after=max(1, left))
