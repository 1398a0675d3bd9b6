"""What every `PushQueue` promises of lists, counts, the outbox, batches and idempotency keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from etter_dagster.model.claim_order import Lane
from etter_dagster.model.errors import ValidationFailed
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Source
from etter_dagster.stores import PushQueue
from etter_dagster.stores.protocols import (
    Batch,
    ClaimLimits,
    NewPush,
    Operation,
    PushFilter,
    StoredAnswer,
)
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.contract.records import NOW, ended, new_push


async def finish(
    queue: PushQueue,
    push: NewPush,
    status: WorkflowState = WorkflowState.READY,
    *,
    code: str | None = None,
    seconds: float = 0.0,
) -> None:
    claim = await queue.enqueue_claimed(push, worker="w", lease_seconds=30)
    assert claim.push.started_at is not None
    at = claim.push.started_at + timedelta(seconds=seconds)
    await queue.finish(push.push.workflow_id, claim.token, ended(status, at=at, code=code))


async def test_counts_by_lane_and_the_oldest(queue: PushQueue) -> None:
    later = NOW + timedelta(minutes=1)
    await queue.enqueue([new_push("a"), new_push("b", queued_at=later)], capacity=10)
    await queue.enqueue([new_push("c", lane=Lane.BULK, queued_at=later)], capacity=10)
    await queue.enqueue_claimed(new_push("d"), worker="w", lease_seconds=30)
    counts = await queue.counts(ClaimLimits())
    assert counts.waiting == {Lane.INTERACTIVE: 2, Lane.BULK: 1}
    assert counts.oldest_queued_at == {Lane.INTERACTIVE: NOW, Lane.BULK: later}
    assert (counts.in_flight, counts.claimable) == (1, 3)


async def test_pages_are_newest_first_and_lose_nothing(queue: PushQueue) -> None:
    """Also where many pushes were queued in the same moment."""
    pushes = [new_push(f"r{i}", queued_at=NOW + timedelta(seconds=i // 4)) for i in range(10)]
    await queue.enqueue(pushes, capacity=100)
    expected = sorted((p.push.queued_at, p.push.workflow_id) for p in pushes)[::-1]
    seen, cursor = [], None
    while True:
        page = await queue.list_pushes(PushFilter(), cursor=cursor, limit=3)
        seen += [(p.queued_at, p.workflow_id) for p in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(page.items) == 3
    assert seen == expected


async def test_a_foreign_cursor_is_refused(queue: PushQueue) -> None:
    with pytest.raises(ValidationFailed, match="cursor"):
        await queue.list_pushes(PushFilter(), cursor="x'; --", limit=3)


_FILTERS: list[tuple[PushFilter, set[str]]] = [
    (PushFilter(), {"a", "b", "c"}),
    (PushFilter(companies=("Acme",)), {"a", "c"}),
    (PushFilter(companies=()), set()),
    (PushFilter(states=(WorkflowState.FAILED,)), {"c"}),
    (PushFilter(error_code="STEP_FAILED"), {"c"}),
    (PushFilter(batch_id="batch-1"), {"b"}),
    (PushFilter(source=Source.CLI), {"b"}),
    (PushFilter(since=NOW + timedelta(seconds=1)), {"b", "c"}),
    (PushFilter(until=NOW + timedelta(seconds=1)), {"a"}),
    (PushFilter(q="BETA"), {"b"}),
    (PushFilter(q="%"), set()),
    (PushFilter(role_id=new_push("a").push.role_id), {"a"}),
    (PushFilter(companies=("Acme",), states=(WorkflowState.QUEUED,)), {"a"}),
]


@pytest.mark.parametrize(("where", "expected"), _FILTERS)
async def test_filters(queue: PushQueue, where: PushFilter, expected: set[str]) -> None:
    later = NOW + timedelta(seconds=2)
    await queue.enqueue([new_push("a")], capacity=10)
    other = new_push("b", "Beta", queued_at=later, batch_id="batch-1", source=Source.CLI)
    await queue.enqueue([other], capacity=10)
    failed = new_push("c", queued_at=later)
    await finish(queue, failed, WorkflowState.FAILED, code="STEP_FAILED")
    page = await queue.list_pushes(where, cursor=None, limit=10)
    assert {push.role_name for push in page.items} == expected
    counts = await queue.count_pushes(where)
    assert counts.total == len(expected) == sum(counts.by_state.values())
    assert counts.by_error_code == ({"STEP_FAILED": 1} if "c" in expected else {})


async def test_get_many_and_the_request(queue: PushQueue) -> None:
    pushes = [new_push(f"r{i}") for i in range(5)]
    await queue.enqueue(pushes, capacity=10)
    ids = [p.push.workflow_id for p in pushes]
    assert set(await queue.get_many([*ids, "role-onboard-ffffffffffff"])) == set(ids)
    assert await queue.request(ids[0]) == pushes[0].request
    assert await queue.request("role-onboard-ffffffffffff") is None
    assert await queue.get("role-onboard-ffffffffffff") is None
    assert await queue.get_many([]) == {}


async def test_ended_pushes_wait_in_the_outbox_until_archived_and_are_seen_until_pruned(
    queue: PushQueue, clock: Clock
) -> None:
    """The history is written before the queue forgets; live detail stays for its lifetime."""
    first, second = new_push("first"), new_push("second")
    await finish(queue, first)
    clock.tick()
    await finish(queue, second)
    await queue.enqueue([waiting := new_push("waiting")], capacity=10)
    ids = [first.push.workflow_id, second.push.workflow_id]
    assert [p.workflow_id for p in await queue.outbox(10)] == ids
    assert [p.workflow_id for p in await queue.outbox(1)] == ids[:1]
    await queue.archived([*ids[:1], waiting.push.workflow_id])
    assert [p.workflow_id for p in await queue.outbox(10)] == ids[1:]
    listed = await queue.list_pushes(PushFilter(), cursor=None, limit=10)
    assert {p.role_name for p in listed.items} == {"second", "waiting"}
    assert await queue.get(ids[0]) is not None
    assert await queue.prune(before=clock.tick(60)) == 1
    assert await queue.get(ids[0]) is None
    assert await queue.request(ids[0]) is None
    assert await queue.get(ids[1]) is not None
    assert await queue.prune(before=clock()) == 0


async def test_the_active_pushes_of_a_company_are_known_by_role(queue: PushQueue) -> None:
    """More than one look takes, and not those that ended, nor another company's."""
    waiting = [new_push(f"r{i}") for i in range(600)]
    await queue.enqueue([*waiting, new_push("a", "Beta")], capacity=1000)
    await queue.enqueue_claimed(held := new_push("held"), worker="w", lease_seconds=30)
    await finish(queue, new_push("ended"))
    await queue.cancel(waiting[0].push.workflow_id, now=NOW)
    assert await queue.active_of("Acme") == {
        **{push.push.role_id: WorkflowState.QUEUED for push in waiting[1:]},
        held.push.role_id: WorkflowState.PROCESSING,
    }
    assert await queue.active_of("Nobody") == {}


async def test_durations_are_those_of_good_ends_by_the_same_assessor(queue: PushQueue) -> None:
    """The estimate: a failure after a second says nothing of how long an assessment takes."""
    assert (await queue.durations("exposure")).count == 0
    await finish(queue, new_push("a"), seconds=10)
    await finish(queue, new_push("b"), WorkflowState.DEGRADED, seconds=20)
    await finish(queue, new_push("c"), WorkflowState.FAILED, code="X", seconds=1)
    measured = await queue.durations("exposure")
    assert (measured.count, measured.mean_seconds) == (2, 15.0)
    assert (await queue.durations("llm")).count == 0


async def test_batches_and_operations_are_kept(queue: PushQueue) -> None:
    batch = Batch(batch_id="batch-1", company_id="Acme", created_at=NOW, workflow_ids=("w1",))
    await queue.put_batch(batch)
    await queue.put_batch(batch := batch.model_copy(update={"workflow_ids": ("w2",)}))
    assert await queue.batch("batch-1") == batch
    assert await queue.batch("batch-2") is None
    operation = Operation(
        operation_id="op-1", kind="retry", state="running", matched=2, created_at=NOW
    )
    await queue.put_operation(operation)
    assert await queue.operation("op-1") == operation
    assert await queue.operation("batch-1") is None


async def test_an_idempotency_key_gives_the_first_answer(queue: PushQueue, clock: Clock) -> None:
    async def reserve(body: str = "b1") -> str:
        found = await queue.reserve_key("key-1", "K", body, ttl_seconds=86400)
        if found.answer:
            return str(found.answer.body)
        return "fresh" if found.fresh else "conflict" if found.conflict else "busy"

    assert [await reserve(), await reserve(), await reserve("b2")] == ["fresh", "busy", "conflict"]
    await queue.store_answer("key-1", "K", StoredAnswer(status=200, body="first"))
    await queue.store_answer("key-1", "K", StoredAnswer(status=200, body="second"))
    assert [await reserve(), await reserve("b2")] == ["first", "conflict"]
    other = await queue.reserve_key("key-2", "K", "b2", ttl_seconds=86400)
    assert other.fresh
    await queue.release_key("key-1", "K")
    assert await reserve() == "first"
    clock.tick(86401)
    assert await reserve("b2") == "fresh"


async def test_a_reservation_that_nobody_answers_is_free_again(
    queue: PushQueue, clock: Clock
) -> None:
    """A refusal is not stored; a request that died does not block its key for a day."""
    for pause in (lambda: queue.release_key("s", "K"), None):
        found = await queue.reserve_key("s", "K", "b", ttl_seconds=86400)
        assert found.fresh
        if pause:
            await pause()
        else:
            clock.tick(61)
    assert (await queue.reserve_key("s", "K", "other", ttl_seconds=86400)).fresh


async def test_of_simultaneous_reservations_one_is_fresh(
    open_a_queue: Callable[[], PushQueue],
) -> None:
    queues = [open_a_queue() for _ in range(4)]
    found = await asyncio.gather(*(q.reserve_key("s", "K", "b", ttl_seconds=60) for q in queues))
    assert [r.fresh for r in found].count(True) == 1
    await asyncio.gather(*(q.close() for q in queues))


async def test_ping_answers(queue: PushQueue) -> None:
    await queue.ping()
