"""Why nothing is started at present, although pushes may wait: for `/health`, pages, commands."""

from __future__ import annotations

import asyncio

from pydantic import BaseModel, ConfigDict

from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.model.spending import Refusal, Why
from etter_dagster.onboarding.services import Services

WITHIN_SECONDS = 2.0  # who asks waits for something else; a store that hangs holds up nobody
_OF_BUDGET = "pushes wait until then; a larger budget counts after a restart"
_OF_ASSESSOR = "pushes wait and go on by themselves; `etter doctor` says how the assessor answers"


class Held(BaseModel):
    """Work that is held back, and what helps; for people."""

    model_config = ConfigDict(frozen=True)

    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}"


async def held_back(services: Services, company_id: str | None = None) -> Held | None:
    """Why no push is started now; None where work goes on.

    Args:
        services: Queue and guard.
        company_id: Counts this company's own budget too.

    Returns:
        None also where the queue's store cannot be asked: that is said elsewhere.
    """
    try:
        return await asyncio.wait_for(_held(services, company_id), WITHIN_SECONDS)
    except (StoreUnavailable, asyncio.TimeoutError):
        return None


async def _held(services: Services, company_id: str | None) -> Held | None:
    seconds = await services.queue.claims_held()
    if seconds > 0:
        return Held(
            message=f"claims are held by `etter drain`, for {seconds:.0f} s more",
            remedy="end that sooner with: etter drain --end",
        )
    guard = services.assessors.guard
    closed = await guard.closed(company_id) if guard is not None else None
    return _of(closed) if closed is not None else None


def _of(closed: Refusal) -> Held:
    remedy = _OF_BUDGET if closed.why is Why.BUDGET else _OF_ASSESSOR
    until = closed.retry_at if closed.why is not Why.BUDGET else None  # a budget's message has it
    when = f" until {until:%Y-%m-%dT%H:%M:%SZ}" if until is not None else ""
    return Held(message=f"no paid assessment begins: {closed.message}{when}", remedy=remedy)
