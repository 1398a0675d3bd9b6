"""Lists over both stores, also while pushes move from one to the other."""

from __future__ import annotations

import pytest

from etter_dagster.onboarding.accept import accept
from etter_dagster.onboarding.archive import archive
from etter_dagster.onboarding.listing import count_pushes
from etter_dagster.onboarding.services import Services
from etter_dagster.stores.protocols import PushCounts, PushFilter
from etter_dagster_tests.support import order

EVERY = PushFilter()


async def _cancelled_and_waiting(services: Services) -> None:
    ended = await accept(services, order("Ended"))
    await services.queue.cancel(ended.workflow_id, now=services.clock())
    await accept(services, order("Waiting"))


async def test_a_push_on_its_way_to_the_history_is_counted_once(services: Services) -> None:
    """It is written there before it is taken from the queue."""
    await _cancelled_and_waiting(services)
    await services.graph.append_history(await services.queue.outbox(10))
    counts = await count_pushes(services, EVERY)
    assert (counts.total, dict(counts.by_state)) == (2, {"cancelled": 1, "queued": 1})


async def test_what_moves_while_it_is_counted_is_counted_once(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2,500 roles at work would else be 2,508 in one answer of ten."""
    await _cancelled_and_waiting(services)
    count_history = services.graph.count_history

    async def count_after_move(where: PushFilter) -> PushCounts:
        await archive(services)
        return await count_history(where)

    monkeypatch.setattr(services.graph, "count_history", count_after_move)
    counts = await count_pushes(services, EVERY)
    assert (counts.total, dict(counts.by_state)) == (2, {"cancelled": 1, "queued": 1})
