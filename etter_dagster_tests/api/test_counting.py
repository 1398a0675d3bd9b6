"""Counts of requests while the store of all processes is away, hangs, and is back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from etter_dagster.api import counting
from etter_dagster.api.counting import AGAIN_SECONDS, Counts
from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.stores.access import AccessStore


class Store:
    """Counts, is away, or hangs, as told."""

    def __init__(self) -> None:
        self.asked = 0
        self.how = "away"

    async def hit(self, who: str, *, limit: int) -> float:
        self.asked += 1
        if self.how == "away":
            raise StoreUnavailable("queue")
        if self.how == "hangs":
            await asyncio.Event().wait()
        return 7.0


class Counting:
    """Counts over such a store, at a time that the test sets."""

    def __init__(self) -> None:
        self.store, self.now = Store(), 1000.0
        store: Any = self.store
        access: AccessStore = store
        self.counts = Counts(access, lambda: self.now)

    async def hit(self, who: str = "key:a", limit: int = 2) -> float:
        return await self.counts.hit(who, limit=limit)


async def test_while_the_store_is_away_the_limit_holds_here() -> None:
    counting = Counting()
    assert [await counting.hit() for _ in range(2)] == [0.0, 0.0]
    assert await counting.hit() == 61.0
    assert await counting.hit("key:b") == 0.0
    counting.now += 61
    assert await counting.hit() == 0.0


async def test_a_store_that_is_away_is_asked_again_only_after_a_while() -> None:
    """Else each request would wait for it."""
    counting = Counting()
    for _ in range(5):
        await counting.hit("key:a", limit=10)
    assert counting.store.asked == 1
    counting.now += AGAIN_SECONDS
    counting.store.how = "counts"
    assert await counting.hit() == 7.0
    assert await counting.hit() == 7.0
    assert counting.store.asked == 3


async def test_a_store_that_hangs_holds_up_one_request_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counting, "WITHIN_SECONDS", 0.01)
    hanging = Counting()
    hanging.store.how = "hangs"
    assert await hanging.hit() == 0.0
    assert await hanging.hit() == 0.0
    assert hanging.store.asked == 1
