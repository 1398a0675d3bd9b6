"""A process that makes paid calls: it says that it lives with one voice, and stops saying so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from etter_dagster.assessors.guard.holder import Holder
from etter_dagster.model.errors import StoreUnavailable
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


class Flaky:
    """A ledger whose answers get lost: what was asked may or may not have been done."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.lost_after: str = ""
        self.away: str = ""

    def __getattr__(self, name: str) -> Any:
        async def ask(*given: Any, **named: Any) -> Any:
            if name == self.away:
                raise StoreUnavailable("queue")
            answer = await getattr(self._ledger, name)(*given, **named)
            if name == self.lost_after:
                raise StoreUnavailable("queue")
            return answer

        return ask


async def taken_again(holder: Holder) -> None:
    async def take() -> None:
        async with holder.taking("subject"):
            pass

    await asyncio.wait_for(take(), 30)


async def test_a_subject_whose_taking_was_not_heard_of_is_taken_again(ledger: Ledger) -> None:
    """Its own process waited for itself, for as long as a step may take: the server was killed
    when it had written, and before it answered.
    """
    flaky = Flaky(ledger)
    holder = Holder(flaky, ttl_seconds=30)
    flaky.lost_after = "take"
    with pytest.raises(StoreUnavailable):
        await taken_again(holder)
    flaky.lost_after = ""
    await taken_again(holder)
    await holder.close()


@pytest.mark.parametrize("act", ["take", "free"])
async def test_a_subject_that_nobody_wants_any_more_is_let_go_when_the_ledger_answers(
    ledger: Ledger, act: str
) -> None:
    """Another process gets it, though the one that left it lives on; what was made is not lost."""
    flaky = Flaky(ledger)
    holder = Holder(flaky, ttl_seconds=0.3)
    if act == "take":
        flaky.lost_after = "take"
        with pytest.raises(StoreUnavailable):
            await taken_again(holder)
    else:
        flaky.away = "free"
        await taken_again(holder)
    flaky.lost_after = flaky.away = ""
    other = Holder(ledger, ttl_seconds=30)
    await taken_again(other)
    await holder.close()
    await other.close()


async def test_two_tasks_of_a_process_have_a_subject_one_after_the_other(ledger: Ledger) -> None:
    holder = Holder(ledger, ttl_seconds=30)
    inside = 0

    async def take() -> None:
        nonlocal inside
        async with holder.taking("subject"):
            inside += 1
            await asyncio.sleep(0.01)
            assert inside == 1
            inside -= 1

    await asyncio.gather(*(take() for _ in range(3)))
    await holder.close()
