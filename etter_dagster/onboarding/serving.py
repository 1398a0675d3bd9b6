"""Serving the queue: claims pushes as places come free and walks them all in one event loop.

Knows no Dagster: the op of a serving run calls `serve`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from etter_dagster.model.errors import LeaseLost, Postponed, StoreUnavailable
from etter_dagster.model.push import Push
from etter_dagster.onboarding.archive import archive, forget_old
from etter_dagster.onboarding.leases import give_back
from etter_dagster.onboarding.notifying import tell_always
from etter_dagster.onboarding.reporting import Reporter
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.walk import walk
from etter_dagster.stores.protocols import Claim
from etter_dagster.tasks import end

ARCHIVE_SECONDS = 0.5
AWAY_SECONDS = 1.0  # a store that cannot be reached is asked again after so long
_GATHER_SECONDS = 0.005  # wait so long for more places to come free before asking for pushes
log = logging.getLogger(__name__)


@dataclass
class ServeResult:
    """What a serving run did: pushes ended, and for roles that have failed assets the reason."""

    done: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, push: Push) -> None:
        """Counts an ended push."""
        self.done += 1
        if not push.failed:
            self.failed.pop(push.role_id, None)
            return
        steps = "; ".join(
            f"{step.name}: {step.error_message}" for step in push.steps if step.error_message
        )
        self.failed[push.role_id] = (push.error.message if push.error else "") or steps


async def serve(
    services: Services,
    *,
    worker: str,
    reporter: Reporter,
    run_id: str | None = None,
    places: int,
    linger_seconds: float,
    claim_seconds: float,
    stop: asyncio.Event | None = None,
) -> ServeResult:
    """Claims and walks pushes until there are none.

    Args:
        services: Stores, assessors, steps.
        worker: A name unique to this run; leases are held under it.
        reporter: Told what was made and what failed.
        run_id: The Dagster run, if any.
        places: How many pushes to hold at once, as far as `Services.at_once` has use for them.
        linger_seconds: End after so long without any work.
        claim_seconds: Claim nothing after so long; what is held is finished.
        stop: Once set, nothing more is claimed and what is held is finished.

    Raises:
        asyncio.CancelledError: After all leases were given back.
    """
    server = _Server(services, worker, reporter, run_id, places)
    return await server.run(linger_seconds, claim_seconds, stop or asyncio.Event())


class _Server:
    def __init__(
        self,
        services: Services,
        worker: str,
        reporter: Reporter,
        run_id: str | None,
        places: int,
    ) -> None:
        self.services = services
        self.worker = worker
        self.reporter = reporter
        self.run_id = run_id
        self.places = places
        self.at_once = services.at_once(places)
        self.held: dict[str, tuple[Claim, asyncio.Task[None]]] = {}
        self.result = ServeResult()
        self.claiming = True
        # The answer to a claim was lost: more may be held than is known here.
        self.unheard = False
        self.freed = asyncio.Event()

    async def run(
        self, linger_seconds: float, claim_seconds: float, stop: asyncio.Event
    ) -> ServeResult:
        background = [
            asyncio.create_task(self._repeat(self._beat, self._lease / 3)),
            asyncio.create_task(self._repeat(self._archive, ARCHIVE_SECONDS)),
            asyncio.create_task(tell_always(self.services)),
        ]
        try:
            await self._serve(linger_seconds, claim_seconds, stop)
            await self._archive_all()
        finally:
            await end(*background)
            await self._let_go()
        return self.result

    @property
    def _lease(self) -> float:
        return self.services.settings.lease_seconds

    async def _serve(
        self, linger_seconds: float, claim_seconds: float, stop: asyncio.Event
    ) -> None:
        started = idle_since = time.monotonic()
        changed = await self.services.queue.wait_changed(0, 0.0)
        while True:
            self.claiming = not stop.is_set() and time.monotonic() - started < claim_seconds
            if self.claiming and len(self.held) < self.at_once:
                await self._claim()
            if self.held:
                idle_since = time.monotonic()
            elif not self.claiming or time.monotonic() - idle_since >= linger_seconds:
                return
            wait = 1.0 if self.held else min(1.0, linger_seconds)
            changed = await self._wait(changed, wait, stop)

    async def _claim(self) -> None:
        try:
            if self.unheard:
                await self.services.queue.give_back_unheard(self.worker, list(self.held))
                self.unheard = False
            claims = await self.services.queue.claim(
                self.worker,
                self.at_once - len(self.held),
                limits=await self.services.limits_now(),
                lease_seconds=self._lease,
                run_id=self.run_id,
            )
        except StoreUnavailable as error:
            self.unheard = True
            log.error("%s", error)
            return
        if not claims:
            return
        try:
            await self.reporter.claimed([claim.push.role_id for claim in claims])
        except StoreUnavailable as error:
            log.error("%s; %d pushes are given back", error, len(claims))
            await asyncio.gather(*(self._give_back(claim) for claim in claims))
            return
        for claim in claims:
            task = asyncio.create_task(self._walk(claim))
            self.held[claim.push.workflow_id] = (claim, task)

    async def _walk(self, claim: Claim) -> None:
        # A cancelled walk stays in `held`, so that whoever cancelled it knows the claim.
        workflow_id = claim.push.workflow_id
        try:
            push = await walk(self.services, claim, self.reporter, run_id=self.run_id)
            self.result.add(push)
        except LeaseLost:
            log.warning("%s: the lease was lost; somebody else goes on with it", workflow_id)
        except Postponed as error:
            log.info("%s: %s; it waits in the queue", workflow_id, error)
            await give_back(self.services, claim)
        except StoreUnavailable as error:
            log.error("%s: %s; it is given back when the stores answer", workflow_id, error)
            await self._give_back(claim)
        self.held.pop(workflow_id, None)
        self.freed.set()

    async def _give_back(self, claim: Claim) -> None:
        """Gives a push back once both stores answer; until then its lease is kept.

        An outage so costs no attempt, however long it is, and no store is asked in a hurry.
        """
        while True:
            await asyncio.sleep(AWAY_SECONDS)
            try:
                await self.services.graph.ping()
                await self.services.queue.give_back(claim.push.workflow_id, claim.token)
                return
            except StoreUnavailable:
                continue
            except LeaseLost:
                return

    async def _wait(self, changed: int, seconds: float, stop: asyncio.Event) -> int:
        """Until a place came free, something was pushed, or time passed; the queue's counter."""
        waits: dict[str, asyncio.Task[Any]] = {"freed": _task(self.freed.wait())}
        if self.claiming:
            waits["stop"] = _task(stop.wait())
            if len(self.held) < self.at_once:
                waits["queue"] = _task(self.services.queue.wait_changed(changed, seconds))
        await asyncio.wait(waits.values(), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self.freed.is_set():
            await asyncio.sleep(_GATHER_SECONDS)
            self.freed.clear()
        queue = waits.get("queue")
        if queue is not None and queue.done():
            if queue.exception() is None:
                changed = queue.result()
            else:
                await asyncio.sleep(min(AWAY_SECONDS, seconds))
        for task in waits.values():
            task.cancel()
        await asyncio.gather(*waits.values(), return_exceptions=True)
        return changed

    async def _beat(self) -> None:
        lost = await self.services.queue.heartbeat(
            self.worker,
            {wid: claim.token for wid, (claim, _) in self.held.items()},
            lease_seconds=self._lease,
            free_places=max(0, self.places - len(self.held)),
            claiming=self.claiming,
        )
        for workflow_id in lost:
            if workflow_id in self.held:
                log.warning("%s: the lease was lost", workflow_id)
                self.held.pop(workflow_id)[1].cancel()
                self.freed.set()

    async def _archive(self) -> int:
        return await archive(self.services, tell=self.reporter.given_up)

    async def _archive_all(self) -> None:
        while await self._archive():
            pass
        await forget_old(self.services)

    async def _repeat(self, act: Any, seconds: float) -> None:
        while True:
            try:
                await act()
            except StoreUnavailable as error:
                log.error("%s", error)
            await asyncio.sleep(seconds)

    async def _let_go(self) -> None:
        """Ends what is still running and gives its leases back."""
        held = list(self.held.values())
        for _, task in held:
            task.cancel()
        await asyncio.gather(*(task for _, task in held), return_exceptions=True)
        await self.services.queue.leave(self.worker)


def _task(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.create_task(work)
