"""What every `PushQueue` promises of queueing, claiming, leases and places."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from etter_dagster.model.claim_order import Lane
from etter_dagster.model.errors import AlreadyProcessing, IllegalMove, LeaseLost, NotFound
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import MAX_LEASES, StepRecord, StepStatus
from etter_dagster.stores import PushQueue
from etter_dagster.stores.protocols import Claim, ClaimLimits, NewPush
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.contract.records import ended, new_push

LIMITS = ClaimLimits()
LEASE = 30.0


async def take(
    queue: PushQueue, n: int = 10, *, worker: str = "w", limits: ClaimLimits = LIMITS
) -> list[Claim]:
    return await queue.claim(worker, n, limits=limits, lease_seconds=LEASE)


def names(claims: list[Claim]) -> list[str]:
    return [claim.push.role_name for claim in claims]


async def test_a_push_is_queued_once_and_claimed_once(queue: PushQueue) -> None:
    """The main promise: at most one active push a role, one holder a push."""
    push = new_push()
    assert (await queue.enqueue([push], capacity=10))[0].accepted
    again = (await queue.enqueue([new_push()], capacity=10))[0]
    assert again.active == push.push.workflow_id
    claims = await take(queue)
    assert names(claims) == ["Analyst"]
    assert claims[0].request == push.request
    assert (claims[0].push.status, claims[0].push.attempts) == (WorkflowState.PROCESSING, 1)
    assert await take(queue) == []
    assert (await queue.enqueue([new_push()], capacity=10))[0].active == push.push.workflow_id


async def test_the_same_workflow_id_queued_again_is_the_same_push(queue: PushQueue) -> None:
    """Callers with derived ids repeat themselves safely, also after the push has ended."""
    push = new_push(workflow_id="role-onboard-00000000000a")
    for _ in range(2):
        assert (await queue.enqueue([push], capacity=10))[0].accepted
    claim = (await take(queue))[0]
    await queue.finish(claim.push.workflow_id, claim.token, ended())
    assert (await queue.enqueue([push], capacity=10))[0].accepted
    assert await take(queue) == []


async def test_a_full_queue_refuses_only_what_is_above_its_capacity(queue: PushQueue) -> None:
    pushes = [new_push(str(i)) for i in range(4)]
    answers = await queue.enqueue(pushes, capacity=3)
    assert [a.accepted for a in answers] == [True, True, True, False]
    assert answers[3].full
    await take(queue, 1)
    assert (await queue.enqueue(pushes[3:], capacity=3))[0].accepted


async def test_companies_take_turns_whoever_came_first(queue: PushQueue) -> None:
    """A flood of one company delays another's single push by one turn."""
    flood = [new_push(f"f{i}", "Flood") for i in range(20)]
    await queue.enqueue(flood, capacity=100)
    assert names(await take(queue, 2)) == ["f0", "f1"]
    single = new_push("single", "Small")
    await queue.enqueue([single], capacity=100)
    assert (await queue.positions([single.push.workflow_id]))[single.push.workflow_id] <= 2
    assert "single" in names(await take(queue, 2))


async def test_lanes_share_the_work_and_none_starves(queue: PushQueue) -> None:
    """Interactive first, but the nightly lane gets its share under load."""
    pushes = [new_push(f"{lane.value}{i}", lane=lane) for lane in Lane for i in range(60)]
    await queue.enqueue(pushes, capacity=1000)
    started = Counter(claim.push.lane for claim in await take(queue, 42))
    assert started == {Lane.INTERACTIVE: 32, Lane.BULK: 8, Lane.BACKGROUND: 2}


async def test_a_place_only_falls_and_is_the_order_of_start(queue: PushQueue) -> None:
    """The contract: `position_in_queue` never rises while nobody pushes; 1 is next."""
    pushes = [
        new_push(f"{company}{lane.value}{i}", company, lane=lane)
        for lane in Lane
        for company in ("A", "B", "C")
        for i in range(3 if company == "A" else 1)
    ]
    await queue.enqueue(pushes, capacity=1000)
    ids = [push.push.workflow_id for push in pushes]
    places = await queue.positions(ids)
    assert sorted(places.values()) == list(range(1, len(ids) + 1))
    expected = sorted(ids, key=lambda workflow_id: places[workflow_id])
    started: list[str] = []
    while claims := await take(queue, 1):
        started.append(claims[0].push.workflow_id)
        await queue.finish(started[-1], claims[0].token, ended())
        now = await queue.positions(ids)
        assert all(now[workflow_id] <= places[workflow_id] for workflow_id in now)
        assert list(now) == [] or min(now.values()) == 1
        places |= now
    assert started == expected


async def test_few_and_many_places_are_counted_alike(queue: PushQueue) -> None:
    """One client asks for one place, a batch page for thousands."""
    pushes = [new_push(f"r{i}", f"c{i % 7}", lane=list(Lane)[i % 3]) for i in range(60)]
    await queue.enqueue(pushes, capacity=1000)
    ids = [push.push.workflow_id for push in pushes]
    together = await queue.positions(ids)
    one_by_one: dict[str, int] = {}
    for workflow_id in ids:
        one_by_one |= await queue.positions([workflow_id])
    assert together == one_by_one


async def test_limits_hold_over_all_workers(queue: PushQueue) -> None:
    await queue.enqueue([new_push(f"a{i}", "A") for i in range(5)], capacity=100)
    await queue.enqueue([new_push(f"b{i}", "B") for i in range(5)], capacity=100)
    limits = ClaimLimits(in_flight=5, per_company=3)
    first = await take(queue, 4, worker="one", limits=limits)
    second = await take(queue, 4, worker="two", limits=limits)
    per_company = Counter(claim.push.company_id for claim in first + second)
    assert per_company == {"A": 3, "B": 2}
    assert (await queue.counts(limits)).claimable == 0
    await queue.finish(first[0].push.workflow_id, first[0].token, ended())
    assert (await queue.counts(limits)).claimable == 1


async def test_a_company_at_its_limit_does_not_hold_up_others(queue: PushQueue) -> None:
    await queue.enqueue([new_push(f"a{i}", "A") for i in range(50)], capacity=100)
    await queue.enqueue([new_push("b", "B")], capacity=100)
    claims = await take(queue, 50, limits=ClaimLimits(in_flight=100, per_company=2))
    assert sorted(names(claims)) == ["a0", "a1", "b"]


async def test_an_expired_lease_is_taken_back_to_its_place(queue: PushQueue, clock: Clock) -> None:
    await queue.enqueue([new_push("first"), new_push("second")], capacity=10)
    lost = (await take(queue, 1, worker="dead"))[0]
    clock.tick(LEASE + 1)
    assert (await queue.counts(LIMITS)).claimable == 2
    claims = await take(queue, 1, worker="alive")
    assert names(claims) == ["first"]
    assert claims[0].token > lost.token
    assert claims[0].push.attempts == 2
    with pytest.raises(LeaseLost):
        await queue.finish(lost.push.workflow_id, lost.token, ended())
    with pytest.raises(LeaseLost):
        await queue.progress(lost.push.workflow_id, lost.token, steps=[], current_step=None)
    with pytest.raises(LeaseLost):
        await queue.give_back(lost.push.workflow_id, lost.token)


async def test_a_heartbeat_keeps_the_lease_and_names_the_lost(
    queue: PushQueue, clock: Clock
) -> None:
    await queue.enqueue([new_push("kept"), new_push("lost")], capacity=10)
    kept, lost = await take(queue, 2)
    for _ in range(3):
        clock.tick(LEASE * 0.6)
        assert not await queue.heartbeat(
            "w",
            {kept.push.workflow_id: kept.token},
            lease_seconds=LEASE,
            free_places=3,
            claiming=True,
        )
    assert names(await take(queue, 5, worker="other")) == ["lost"]
    assert await queue.heartbeat(
        "w",
        {kept.push.workflow_id: kept.token, lost.push.workflow_id: lost.token},
        lease_seconds=LEASE,
        free_places=3,
        claiming=True,
    ) == {lost.push.workflow_id}


async def test_after_the_last_lost_lease_the_push_is_failed(queue: PushQueue, clock: Clock) -> None:
    """A role that kills every worker must end, and say what was tried."""
    push = new_push()
    await queue.enqueue([push], capacity=10)
    for _ in range(MAX_LEASES):
        assert len(await take(queue)) == 1
        clock.tick(LEASE + 1)
    assert await take(queue) == []
    found = await queue.get(push.push.workflow_id)
    assert found is not None
    assert found.error is not None
    assert (found.status, found.error.code) == (WorkflowState.FAILED, "ATTEMPTS_EXHAUSTED")
    assert (found.attempts, found.completed_at) == (MAX_LEASES, clock())
    assert [p.workflow_id for p in await queue.outbox(10)] == [push.push.workflow_id]


async def test_a_push_given_back_waits_at_its_place_and_lost_no_attempt(
    queue: PushQueue,
) -> None:
    await queue.enqueue([new_push("first"), new_push("second")], capacity=10)
    claim = (await take(queue, 1))[0]
    await queue.give_back(claim.push.workflow_id, claim.token)
    found = await queue.get(claim.push.workflow_id)
    assert found is not None
    assert (found.status, found.attempts, found.started_at) == (WorkflowState.QUEUED, 0, None)
    assert names(await take(queue, 1)) == ["first"]


async def test_a_worker_that_leaves_gives_back_what_it_holds(queue: PushQueue) -> None:
    await queue.enqueue([new_push(str(i)) for i in range(3)], capacity=10)
    await take(queue, 2, worker="leaving")
    await take(queue, 1, worker="staying")
    assert [w.worker for w in await queue.workers()] == ["leaving", "staying"]
    await queue.leave("leaving")
    assert [w.worker for w in await queue.workers()] == ["staying"]
    assert (await queue.counts(LIMITS)).claimable == 2


async def test_a_worker_that_did_not_hear_of_a_claim_gives_it_back_at_no_attempt(
    queue: PushQueue,
) -> None:
    """The server was killed when it had written, and before it answered."""
    await queue.enqueue([new_push(str(i)) for i in range(4)], capacity=10)
    known, unheard = await take(queue, 2, worker="w")
    await take(queue, 1, worker="other")
    await queue.give_back_unheard("w", [known.push.workflow_id])
    pushes = await queue.get_many([known.push.workflow_id, unheard.push.workflow_id])
    assert pushes[known.push.workflow_id].status is WorkflowState.PROCESSING
    given_back = pushes[unheard.push.workflow_id]
    assert (given_back.status, given_back.attempts) == (WorkflowState.QUEUED, 0)
    counts = await queue.counts(LIMITS)
    assert (counts.claimable, counts.in_flight) == (2, 2)
    assert "w" in [worker.worker for worker in await queue.workers()]
    (again,) = await take(queue, 1, worker="w")
    assert again.push.workflow_id == unheard.push.workflow_id


async def test_workers_are_forgotten_after_two_silent_minutes(
    queue: PushQueue, clock: Clock
) -> None:
    await queue.heartbeat("w", {}, lease_seconds=LEASE, free_places=7, claiming=False)
    (worker,) = await queue.workers()
    assert (worker.free_places, worker.claiming, worker.seen_at) == (7, False, clock())
    clock.tick(121)
    assert await queue.workers() == []


async def test_progress_is_seen_at_once_and_raises_the_version(queue: PushQueue) -> None:
    await queue.enqueue([new_push()], capacity=10)
    claim = (await take(queue))[0]
    steps = [StepRecord(name="role_setup", status=StepStatus.RUNNING, retries=2)]
    await queue.progress(
        claim.push.workflow_id, claim.token, steps=steps, current_step="role_setup"
    )
    found = await queue.get(claim.push.workflow_id)
    assert found is not None
    assert (found.current_step, list(found.steps)) == ("role_setup", steps)
    assert found.version > claim.push.version


async def test_only_a_queued_push_can_be_cancelled(queue: PushQueue, clock: Clock) -> None:
    waiting, running = new_push("waiting"), new_push("running", lane=Lane.INTERACTIVE)
    await queue.enqueue([running], capacity=10)
    await take(queue)
    await queue.enqueue([waiting], capacity=10)
    cancelled = await queue.cancel(waiting.push.workflow_id, now=clock())
    assert (cancelled.status, cancelled.completed_at) == (WorkflowState.CANCELLED, clock())
    for workflow_id in (waiting.push.workflow_id, running.push.workflow_id):
        with pytest.raises(IllegalMove):
            await queue.cancel(workflow_id, now=clock())
    with pytest.raises(NotFound):
        await queue.cancel("role-onboard-ffffffffffff", now=clock())
    assert await take(queue) == []
    assert (await queue.enqueue([new_push("waiting")], capacity=10))[0].accepted


async def test_a_push_taken_past_the_queue_is_active_like_any_other(queue: PushQueue) -> None:
    push = new_push()
    claim = await queue.enqueue_claimed(push, worker="w", lease_seconds=LEASE)
    assert claim.push.status is WorkflowState.PROCESSING
    with pytest.raises(AlreadyProcessing) as caught:
        await queue.enqueue_claimed(new_push(), worker="w", lease_seconds=LEASE)
    assert caught.value.workflow_id == push.push.workflow_id
    assert await queue.active([push.push.role_id]) == {push.push.role_id: claim.push}
    done = await queue.finish(push.push.workflow_id, claim.token, ended())
    assert done.status is WorkflowState.READY
    assert await queue.active([push.push.role_id]) == {}


async def test_many_workers_racing_hold_each_push_once(
    open_a_queue: Callable[[], PushQueue],
) -> None:
    """Several connections at once: every push has one holder, every token is its own."""
    queues = [open_a_queue() for _ in range(4)]
    pushes = [new_push(f"r{i}", f"c{i % 5}") for i in range(100)]
    parts = [pushes[i::4] for i in range(4)]
    await asyncio.gather(
        *(q.enqueue(part, capacity=1000) for q, part in zip(queues, parts, strict=True))
    )

    async def work(queue: PushQueue, worker: str) -> list[Claim]:
        mine: list[Claim] = []
        while claims := await take(queue, 3, worker=worker):
            mine += claims
            for claim in claims:
                await queue.finish(claim.push.workflow_id, claim.token, ended())
        return mine

    done = [
        claim
        for part in await asyncio.gather(*(work(q, f"w{i}") for i, q in enumerate(queues)))
        for claim in part
    ]
    assert sorted(c.push.workflow_id for c in done) == sorted(p.push.workflow_id for p in pushes)
    assert len({c.token for c in done}) == len(done)
    await asyncio.gather(*(q.close() for q in queues))


async def test_racing_pushes_of_one_role_make_one_active_push(
    open_a_queue: Callable[[], PushQueue],
) -> None:
    queues = [open_a_queue() for _ in range(4)]
    answers = await asyncio.gather(*(q.enqueue([new_push()], capacity=10) for q in queues))
    taken = [answer for (answer,) in answers if answer.accepted]
    assert len(taken) == 1
    assert len({answer.active for (answer,) in answers if answer.active}) == 1
    await asyncio.gather(*(q.close() for q in queues))


async def test_tokens_rise_also_when_the_clock_goes_back(queue: PushQueue, clock: Clock) -> None:
    """A fencing token must not depend on a clock that somebody mends."""
    await queue.enqueue([new_push("a"), new_push("b")], capacity=10)
    first = (await take(queue, 1))[0]
    clock.now -= timedelta(days=1)
    second = (await take(queue, 1))[0]
    assert second.token > first.token


async def test_a_waiting_worker_hears_of_a_push_from_elsewhere(
    queue: PushQueue, open_a_queue: Callable[[], PushQueue]
) -> None:
    """Idle workers start within milliseconds, whoever pushes."""
    other = open_a_queue()
    since = await queue.wait_changed(0, 0.0)
    assert await queue.wait_changed(since, 0.1) == since
    waiting = asyncio.create_task(queue.wait_changed(since, 30.0))
    await asyncio.sleep(0.05)
    await other.enqueue([new_push()], capacity=10)
    assert await asyncio.wait_for(waiting, 10.0) > since
    await other.close()


async def test_cancelled_pushes_hold_up_no_later_one_of_their_company(
    queue: PushQueue, clock: Clock
) -> None:
    """Who takes back a thousand pushes by mistake is not punished for them."""
    mistake = [new_push(f"m{i}", "Careless") for i in range(30)]
    await queue.enqueue(mistake, capacity=100)
    for push in mistake:
        await queue.cancel(push.push.workflow_id, now=clock())
    await queue.enqueue([new_push(f"o{i}", "Other") for i in range(30)], capacity=100)
    await queue.enqueue([again := new_push("again", "Careless")], capacity=100)
    assert (await queue.positions([again.push.workflow_id]))[again.push.workflow_id] <= 2


def assessed_by(assessor: str | None, new: NewPush) -> NewPush:
    return new.model_copy(update={"push": new.push.model_copy(update={"assessor": assessor})})


async def test_pushes_of_a_closed_assessor_or_company_wait_and_others_do_not(
    queue: PushQueue,
) -> None:
    """A spent budget or an open breaker must not hold mock pushes or other companies back."""
    paid = assessed_by("llm", new_push("Paid"))
    await queue.enqueue([paid, assessed_by("exposure", new_push("Mock"))], capacity=10)
    limits = ClaimLimits(closed_assessors=("llm",))
    assert (await queue.counts(limits)).claimable == 1
    assert names(await take(queue, limits=limits)) == ["Mock"]
    assert (await queue.counts(limits)).claimable == 0
    assert await take(queue, limits=limits) == []
    assert names(await take(queue)) == ["Paid"]


@pytest.mark.parametrize("closed", [(), ("llm",)], ids=["open", "closed"])
async def test_a_company_whose_budget_is_spent_goes_on_with_what_costs_nothing(
    queue: PushQueue, closed: tuple[str, ...]
) -> None:
    """A mock push and one that only restores stand behind one that must wait."""
    poor = [
        assessed_by(assessor, new_push(name, "Spent Inc."))
        for name, assessor in [("Poor", "llm"), ("Mock", "exposure"), ("Restored", None)]
    ]
    await queue.enqueue([*poor, assessed_by("llm", new_push("Rich"))], capacity=10)
    limits = ClaimLimits(
        closed_assessors=closed, closed_companies=("Spent Inc.",), paid_assessor="llm"
    )
    expected = ["Mock", "Restored"] if closed else ["Mock", "Restored", "Rich"]
    assert (await queue.counts(limits)).claimable == len(expected)
    assert sorted(names(await take(queue, limits=limits))) == expected
    assert (await queue.counts(limits)).claimable == 0
    assert await take(queue, limits=limits) == []


async def test_a_push_given_back_may_wait_for_an_assessor_from_then_on(
    queue: PushQueue, clock: Clock
) -> None:
    """It was taken for one that costs nothing; else it would be claimed again at once, for ever."""
    await queue.enqueue([assessed_by(None, new_push("Restored"))], capacity=10)
    limits = ClaimLimits(closed_assessors=("llm",))
    (claim,) = await take(queue, limits=limits)
    await queue.give_back(claim.push.workflow_id, claim.token)
    (claim,) = await take(queue, limits=limits)
    assert claim.push.assessor is None
    await queue.give_back(claim.push.workflow_id, claim.token, assessor="llm")
    assert await queue.waiting_for("llm") == {"Acme": 1}
    assert (await queue.counts(limits)).claimable == 0
    assert await take(queue, limits=limits) == []
    (claim,) = await take(queue)
    assert (claim.push.assessor, claim.push.attempts) == ("llm", 1)
    await queue.finish(claim.push.workflow_id, claim.token, ended())
    assert (await queue.durations("llm")).count == 1
    assert await queue.waiting_for("llm") == {}


async def test_what_waits_for_an_assessor_is_counted_by_company(queue: PushQueue) -> None:
    """The nightly plan leaves money for it; what is held or is another's does not count."""
    waiting = [
        assessed_by("llm", new_push("a")),
        assessed_by("llm", new_push("b")),
        assessed_by("llm", new_push("c", "Other")),
        assessed_by("exposure", new_push("d")),
    ]
    await queue.enqueue(waiting, capacity=10)
    assert await queue.waiting_for("llm") == {"Acme": 2, "Other": 1}
    (claim,) = await take(queue, 1)
    assert (await queue.waiting_for("llm"))["Acme"] == 1
    await queue.give_back(claim.push.workflow_id, claim.token)
    assert await queue.waiting_for("llm") == {"Acme": 2, "Other": 1}
    assert await queue.waiting_for("nobody") == {}


async def test_held_claims_hand_out_nothing_until_their_time_is_over(
    queue: PushQueue, open_a_queue: Callable[[], PushQueue], clock: Clock
) -> None:
    """`etter drain`: a deploy that forgets to go on must not stop the work for ever."""
    await queue.enqueue([new_push("a"), new_push("b")], capacity=10)
    (claim,) = await take(queue, 1)
    other = open_a_queue()
    assert await other.claims_held() == 0
    await queue.hold_claims(60)
    assert await other.claims_held() == 60
    assert await take(other) == []
    counts = await other.counts(LIMITS)
    assert (counts.claimable, counts.in_flight, counts.waiting) == (0, 1, {Lane.INTERACTIVE: 1})
    await other.finish(claim.push.workflow_id, claim.token, ended())
    clock.tick(61)
    assert names(await take(other)) == ["b"]
    await queue.hold_claims(60)
    await queue.hold_claims(0)
    assert await other.claims_held() == 0
    await other.close()
