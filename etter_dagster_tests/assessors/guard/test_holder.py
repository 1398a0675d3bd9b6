"""A process that makes paid calls: it says that it lives with one voice, and stops saying so."""

from __future__ import annotations

import asyncio

from etter_dagster.assessors.guard.holder import Holder
from etter_dagster.stores import Ledger


def beating() -> list[asyncio.Task[object]]:
    return [t for t in asyncio.all_tasks() if t.get_coro().__qualname__ == "Holder._beat"]  # type: ignore[union-attr]


async def test_many_calls_begun_at_once_have_one_heart_and_it_ends(ledger: Ledger) -> None:
    """One that nobody knew of would go on as long as the process, and hold up its end."""
    holder = Holder(ledger, ttl_seconds=30)

    async def take(subject: str) -> None:
        async with holder.taking(subject):
            assert len(beating()) == 1

    await asyncio.gather(*(take(f"subject {n}") for n in range(20)))
    assert len(beating()) == 1
    await holder.close()
    assert beating() == []
