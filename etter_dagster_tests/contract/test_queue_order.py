"""Each store's own SQL or Lua against `claim_order`: the same pushes, claims and cancels give the
same order and the same places.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etter_dagster.model.claim_order import LANES, Lane
from etter_dagster.stores import PushQueue
from etter_dagster.stores.protocols import ClaimLimits
from etter_dagster_tests.contract.records import NOW, ended, new_push
from etter_dagster_tests.model.queue_model import QueueModel, Waiting

PUSHES = st.tuples(st.sampled_from("abc"), st.sampled_from(LANES), st.integers(1, 8))
CLAIMS = st.integers(1, 12)
HISTORIES = st.lists(st.one_of(PUSHES, CLAIMS), max_size=8)


async def follow(queue: PushQueue, history: list[tuple[str, Lane, int] | int]) -> None:
    """Does the same to the store and to the model, and compares after each event."""
    model = QueueModel()
    ids: dict[Waiting, str] = {}
    for event in history:
        if isinstance(event, int):
            claims = await queue.claim("w", event, limits=ClaimLimits(), lease_seconds=30)
            expected = [model.claim() for _ in range(event)]
            assert [claim.push.workflow_id for claim in claims] == [
                ids[push] for push in expected if push is not None
            ]
            for claim in claims:
                await queue.finish(claim.push.workflow_id, claim.token, ended(at=NOW))
        else:
            company, lane, many = event
            pushes = [new_push(f"r{len(ids) + i}", company, lane=lane) for i in range(many)]
            await queue.enqueue(pushes, capacity=1000)
            for push in pushes:
                ids[model.push(company, lane)] = push.push.workflow_id
        expected_places = {ids[push]: place for push, place in model.positions().items()}
        assert await queue.positions(list(ids.values())) == expected_places


@given(history=HISTORIES)
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_a_store_starts_and_places_pushes_as_the_model_does(
    new_queue: Callable[[], PushQueue], history: list[tuple[str, Lane, int] | int]
) -> None:
    """The arithmetic stands in Python, SQL and Lua; it must be one."""

    async def run() -> None:
        queue = new_queue()
        try:
            await follow(queue, history)
        finally:
            await queue.close()

    asyncio.run(run())


@pytest.mark.parametrize("per_company", [1, 3])
async def test_full_companies_are_passed_over_in_every_lane(
    queue: PushQueue, per_company: int
) -> None:
    """Whatever the lanes hold, all companies get their places, in order, and no more."""
    companies = [f"c{i}" for i in range(12)]
    pushes = [
        new_push(f"{lane.value}{i}", company, lane=lane)
        for lane in LANES
        for company in companies
        for i in range(3)
    ]
    await queue.enqueue(pushes, capacity=1000)
    limits = ClaimLimits(in_flight=1000, per_company=per_company)
    claims = await queue.claim("w", 1000, limits=limits, lease_seconds=30)
    held = [claim.push.company_id for claim in claims]
    assert {company: held.count(company) for company in companies} == dict.fromkeys(
        companies, per_company
    )
    assert (await queue.counts(limits)).claimable == 0
    first = claims[0]
    await queue.finish(first.push.workflow_id, first.token, ended())
    (then,) = await queue.claim("w", 10, limits=limits, lease_seconds=30)
    assert then.push.company_id == first.push.company_id
