"""How long a tick of a source sensor may go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from etter_dagster.onboarding.asking import LEAST_SECONDS, AskingTime

T = TypeVar("T")


class TickTime:
    """Seconds of a tick's own work, and a limit that holds with what the sources take beside it.

    Two bounds, for a tick must not keep others waiting however many roles there are, and a slow
    source takes nobody's processor.

    Args:
        work: Seconds of its own after which nothing new is begun.
        whole: Seconds in all after which nothing new is begun.
    """

    def __init__(self, work: float, whole: float) -> None:
        self._work, self._whole = work, whole
        self._began = time.monotonic()
        self._asked = 0.0
        self._sources = AskingTime(whole, least=LEAST_SECONDS)

    def with_more(self, work: float) -> TickTime:
        """The same tick, which may go on for so many seconds more of its own work."""
        other = TickTime(self._work + work, self._whole)
        other._began, other._asked, other._sources = self._began, self._asked, self._sources
        return other

    @property
    def over(self) -> bool:
        """Whether nothing new is to be begun."""
        return self._passed >= self._whole or self._passed - self._asked >= self._work

    async def ask(self, read: Callable[..., T], *given: object, what: str) -> T:
        """What a source's read gives; it has until the tick's end, and `LEAST_SECONDS` at least.

        Args:
            read: A provider's method.
            given: Its arguments.
            what: The source, for the error.

        Raises:
            SourceUnavailable: No answer in time.
        """
        before = self._passed
        try:
            return await self._sources.ask(read, *given, what=what)
        finally:
            self._asked += self._passed - before

    @property
    def _passed(self) -> float:
        return time.monotonic() - self._began
