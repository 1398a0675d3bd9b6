"""What the budget says at the door."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum

from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.onboarding.check import AT_ONCE, Checked
from etter_dagster.onboarding.restoring import restores, restores_current
from etter_dagster.onboarding.services import Services


class Toll(str, Enum):
    """What a push that is let in will do for its assessment."""

    ASSESSES = "assesses"
    RESTORES = "restores"  # it finds one that was made before, and costs nothing


async def tolls(services: Services, orders: Sequence[Checked]) -> list[Toll | EtterError]:
    """One answer an order: what it will do, or `BUDGET_EXCEEDED`.

    Refused is only what may cost something where the budget is spent already. What was accepted
    before waits instead.

    Args:
        services: Graph, and the guard that knows what is spent.
        orders: That passed the checks.
    """
    refusal = budget_check(services)
    answers: list[Toll | EtterError] = []
    for index, order in enumerate(orders):
        if index % AT_ONCE == 0:
            await asyncio.sleep(0)  # others have their turn
        if restores_current(services, order):
            answers.append(Toll.RESTORES)
        else:
            spent = await refusal(order.request.company_id, order.request.use_mock)
            answers.append(spent or Toll.ASSESSES)
    # Only now is the graph asked for each role's earlier assessments.
    refused = [index for index, answer in enumerate(answers) if isinstance(answer, EtterError)]
    for start in range(0, len(refused), AT_ONCE):
        some = refused[start : start + AT_ONCE]
        found = await asyncio.gather(*(restores(services, orders[index]) for index in some))
        for index, free in zip(some, found, strict=True):
            if free:
                answers[index] = Toll.RESTORES
    return answers


def budget_check(services: Services) -> Callable[[str, bool], Awaitable[EtterError | None]]:
    """A check for many orders: asks once a company.

    Gives a function of the company and `use_mock`, whose answer is `BUDGET_EXCEEDED` where the
    budget is spent already.

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
