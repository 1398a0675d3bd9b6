"""Ending tasks of an event loop. Nothing else of asyncio belongs here."""

from __future__ import annotations

import asyncio
from typing import Any

_AGAIN_SECONDS = 1.0


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancels tasks and waits until they have ended; what they raise is not looked at.

    Cancels again where that was not enough: a driver whose own timeout runs out at that very moment
    takes the cancellation for it, and a loop around the call then goes on for ever.

    Args:
        tasks: Of this loop.
    """
    going_on = [task for task in tasks if not task.done()]
    while going_on:
        for task in going_on:
            task.cancel()
        _, pending = await asyncio.wait(going_on, timeout=_AGAIN_SECONDS)
        going_on = list(pending)
