"""A serving run: how much it holds, and when its stores are away for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.onboarding import serving
from etter_dagster.onboarding.accept import Accepted, accept, accept_many
from etter_dagster.onboarding.reporting import Materialization
from etter_dagster.onboarding.services import LOCAL_AT_ONCE, Services
from etter_dagster.onboarding.serving import serve
from etter_dagster.onboarding.status import find_pushes
from etter_dagster_tests.support import Recorder, ScriptedAssessor, order, work_off


class Away:
    """Makes methods of a store raise as long as it is `away`, and counts how often they did."""

    def __init__(self, patch: pytest.MonkeyPatch, store: object, *methods: str) -> None:
        self.away = True
        self.refused = 0
        for name in methods:
            patch.setattr(store, name, self._refusing(getattr(store, name)))

    def _refusing(self, method: Callable[..., Awaitable[object]]) -> Callable[..., object]:
        async def call(*args: object, **kwargs: object) -> object:
            if self.away:
                self.refused += 1
                raise StoreUnavailable("store")
            return await method(*args, **kwargs)

        return call


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "AWAY_SECONDS", 0.02)


async def test_an_outage_of_the_graph_costs_no_attempt_however_long_it_is(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three leases lost to a graph that restarts would fail every role in work."""
    pushes = [await accept(services, order(f"r{i}")) for i in range(5)]
    graph = Away(monkeypatch, services.graph, "put_role", "ping")
    working = asyncio.create_task(work_off(services))
    while graph.refused < 40:
        await asyncio.sleep(0.01)
    graph.away = False
    await working
    found = await find_pushes(services, [push.workflow_id for push in pushes])
    assert {(p.status, p.attempts) for p in found.values()} == {(WorkflowState.READY, 1)}


async def test_an_outage_of_the_queue_ends_no_serving_run(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis restarts in a second; launching the runs anew would take many."""
    pushes = await accept_many(services, [order(f"r{i}") for i in range(5)])
    queue = Away(monkeypatch, services.queue, "claim", "progress", "wait_changed")
    queue.away = False
    stop = asyncio.Event()
    working = asyncio.create_task(
        serve(
            services,
            worker="w",
            reporter=Recorder(),
            places=2,
            linger_seconds=60,
            claim_seconds=60,
            stop=stop,
        )
    )
    await asyncio.sleep(0)
    queue.away = True
    while queue.refused < 20:
        await asyncio.sleep(0.01)
    queue.away = False
    ids = [answer.workflow_id for answer in pushes if isinstance(answer, Accepted)]
    while {p.status for p in (await find_pushes(services, ids)).values()} != {WorkflowState.READY}:
        await asyncio.sleep(0.01)
    stop.set()
    await working
    assert {p.attempts for p in (await find_pushes(services, ids)).values()} == {1}


async def test_a_claim_whose_answer_was_lost_is_given_back_at_no_attempt(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The leases would lapse after half a minute, and count as lost with their worker."""
    pushes = await accept_many(services, [order(f"r{i}") for i in range(3)])
    claim = services.queue.claim

    async def unheard(*args: Any, **named: Any) -> Any:
        monkeypatch.setattr(services.queue, "claim", claim)
        assert await claim(*args, **named)
        raise StoreUnavailable("queue")

    monkeypatch.setattr(services.queue, "claim", unheard)
    await serve(
        services,
        worker="w",
        reporter=Recorder(),
        places=50,
        linger_seconds=1.0,
        claim_seconds=60,
    )
    ids = [answer.workflow_id for answer in pushes if isinstance(answer, Accepted)]
    found = (await find_pushes(services, ids)).values()
    assert {(p.status, p.attempts) for p in found} == {(WorkflowState.READY, 1)}


async def test_an_assessor_that_computes_here_gets_few_roles_at_once(
    services: Services, assessor: ScriptedAssessor
) -> None:
    """A push would share the processor with 249 others: ready in 27 s under a flood, not in 1."""
    assessor.delay = 0.05
    await accept_many(services, [order(f"r{i}") for i in range(3 * LOCAL_AT_ONCE)])
    most: list[int] = []

    async def look() -> None:
        while True:
            most.append((await services.queue.counts(services.limits)).in_flight)
            await asyncio.sleep(0.005)

    looking = asyncio.create_task(look())
    await serve(
        services,
        worker="w",
        reporter=Recorder(),
        places=250,
        linger_seconds=0,
        claim_seconds=60,
    )
    looking.cancel()
    assert sum(assessor.calls.values()) == 3 * LOCAL_AT_ONCE
    assert max(most) == LOCAL_AT_ONCE


class AwayAtFirst(Recorder):
    """A reporter whose storage is away for the first calls of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals = {"claimed": 2, "materialized": 3}

    def _refuse(self, what: str) -> None:
        if self.refusals[what]:
            self.refusals[what] -= 1
            raise StoreUnavailable("Dagster")

    async def claimed(self, role_ids: Sequence[str]) -> None:
        self._refuse("claimed")
        await super().claimed(role_ids)

    async def materialized(self, event: Materialization) -> None:
        self._refuse("materialized")
        await super().materialized(event)


async def test_an_outage_of_dagsters_storage_fails_no_role_and_costs_no_attempt(
    services: Services, assessor: ScriptedAssessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told of each role later, and nothing is assessed twice."""
    monkeypatch.setattr(serving, "AWAY_SECONDS", 0.01)
    pushed = await accept_many(services, [order(f"r{i}") for i in range(4)])
    reporter = AwayAtFirst()
    await serve(
        services,
        worker="w",
        reporter=reporter,
        places=10,
        linger_seconds=1.0,
        claim_seconds=60,
    )
    ids = [answer.workflow_id for answer in pushed if isinstance(answer, Accepted)]
    found = (await find_pushes(services, ids)).values()
    assert [(p.status, p.attempts) for p in found] == [(WorkflowState.READY, 1)] * 4
    assert set(assessor.calls.values()) == {1}
    assert reporter.refusals == {"claimed": 0, "materialized": 0}
    assert {event.role_id for event in reporter.made} == {p.role_id for p in found}
