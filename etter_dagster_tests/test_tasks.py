"""Ending tasks that take a cancellation for something else."""

from __future__ import annotations

import asyncio

from etter_dagster.tasks import end


async def test_a_task_that_takes_a_cancellation_for_a_timeout_is_ended_all_the_same() -> None:
    """A Redis ledger's heartbeat did so once in 4,000 tests, and its process never ended."""
    taken = 0

    async def beat() -> None:
        nonlocal taken
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                taken += 1
                if taken > 1:
                    raise

    task = asyncio.create_task(beat())
    await asyncio.sleep(0)
    await end(task, asyncio.create_task(asyncio.sleep(60)))
    assert task.cancelled()
    assert taken == 2
