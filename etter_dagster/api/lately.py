"""An answer from elsewhere that is asked for now and then; meanwhile the last one holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 0.3  # a probe must not wait for somebody slow: it gets what was known before
KEEP_SECONDS = 10.0


class Lately:
    """Asks at most every 10 seconds.

    Args:
        ask: Must not raise, and must end within bounds.
        first: The answer until there is one.
    """

    def __init__(self, ask: Callable[[], Awaitable[str]], first: str) -> None:
        self._ask = ask
        self._known = first
        self._asked = float("-inf")
        self._asking: asyncio.Future[str] | None = None

    async def __call__(self) -> str:
        """What is known now."""
        if self._asking is None and time.monotonic() - self._asked >= KEEP_SECONDS:
            self._asking = asyncio.ensure_future(self._ask())
            self._asking.add_done_callback(self._answered)
        if self._asking is not None:
            await asyncio.wait([self._asking], timeout=PATIENCE_SECONDS)
        return self._known

    @property
    def asking(self) -> bool:
        """Whether it waits for an answer."""
        return self._asking is not None

    def close(self) -> None:
        """Asks no more."""
        if self._asking is not None:
            self._asking.cancel()

    def _answered(self, asking: asyncio.Future[str]) -> None:
        self._asking = None
        self._asked = time.monotonic()
        if not asking.cancelled():
            self._known = asking.result()
