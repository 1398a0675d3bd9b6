"""Counting what callers ask: in the store of all processes, or here as long as that is away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable

from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.model.rate import first_counted, pause
from etter_dagster.stores.access import AccessStore

WITHIN_SECONDS = 2.0  # a request waits no longer for a store that hangs
AGAIN_SECONDS = 5.0
log = logging.getLogger(__name__)


class Counts:
    """How often who asked. An outage of the store lifts no limit and stops no request that can do
    without that store: meanwhile each process counts its own.

    Args:
        access: Keeps the counts of all processes.
        clock: Seconds; for when to ask the store again, and for what is counted here.
    """

    def __init__(self, access: AccessStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._access = access
        self._clock = clock
        self._ask_at = float("-inf")
        self._here: dict[int, Counter[str]] = {}

    async def hit(self, who: str, *, limit: int) -> float:
        """Counts a request, unless `who` made `limit` within the last minute.

        Args:
            who: A key or an address.
            limit: Requests a minute.

        Returns:
            0 if it was counted, else the seconds to wait.
        """
        if self._clock() >= self._ask_at:
            try:
                asked = self._access.hit(who, limit=limit)
                return await asyncio.wait_for(asked, WITHIN_SECONDS)
            except (StoreUnavailable, asyncio.TimeoutError):
                log.warning("requests cannot be counted together; each process counts its own")
                self._ask_at = self._clock() + AGAIN_SECONDS
        return self._hit_here(who, limit)

    def _hit_here(self, who: str, limit: int) -> float:
        now = self._clock()
        self._here = {s: n for s, n in self._here.items() if s >= first_counted(now)}
        wait = pause([(second, n[who]) for second, n in self._here.items()], limit, now)
        if not wait:
            self._here.setdefault(int(now), Counter())[who] += 1
        return wait
