"""Keeping the lease of a single push alive while it is walked outside a serving run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from etter_dagster.model.errors import LeaseLost, StoreUnavailable
from etter_dagster.onboarding.services import Services
from etter_dagster.stores.protocols import Claim
from etter_dagster.tasks import end

log = logging.getLogger(__name__)


@asynccontextmanager
async def keep_leases(services: Services, worker: str, claim: Claim) -> AsyncIterator[None]:
    """Renews the lease three times per lifetime until the block ends.

    A lost lease shows itself at the holder's next write, which is refused.

    Args:
        services: The queue and its settings.
        worker: The name the lease is held under.
        claim: The push.
    """
    lease = services.settings.lease_seconds

    async def beat() -> None:
        while True:
            await asyncio.sleep(lease / 3)
            try:
                await services.queue.heartbeat(
                    worker,
                    {claim.push.workflow_id: claim.token},
                    lease_seconds=lease,
                    free_places=0,
                    claiming=False,
                )
            except StoreUnavailable as error:
                log.error("%s", error)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        await end(task)


async def give_back(services: Services, claim: Claim) -> None:
    """Puts a postponed push back to its place, unless somebody else has it by now.

    It waits for its assessor, also where it was taken for one that needs none, or for another.

    Args:
        services: The queue.
        claim: The push.
    """
    assessor = services.assessors.for_push(claim.push.use_mock).info.name
    with contextlib.suppress(LeaseLost):
        await services.queue.give_back(claim.push.workflow_id, claim.token, assessor=assessor)
