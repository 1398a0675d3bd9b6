"""The guard over paid calls: recorded, sent, stored, read; nothing is paid for twice."""

from __future__ import annotations

import asyncio

import pytest

from etter_dagster.assessors.guard.guarded import SHORTEST_REST, GuardedAssessor
from etter_dagster.assessors.protocol import (
    ATTEMPTS,
    AnswerLost,
    AssessmentFailed,
    NotSent,
)
from etter_dagster.model.errors import ErrorCode, EtterError, Postponed, TransientError
from etter_dagster.model.ledger import Outcome
from etter_dagster.stores import Ledger
from etter_dagster_tests.assessors.guard.conftest import Open, ScriptedPaid, request
from etter_dagster_tests.conftest import Clock


async def outcomes(ledger: Ledger) -> list[Outcome]:
    return [attempt.outcome for attempt in reversed(await ledger.attempts())]


async def test_a_call_is_in_the_ledger_while_it_is_outstanding(
    guard: GuardedAssessor, paid: ScriptedPaid, ledger: Ledger
) -> None:
    """Recorded before it is sent, with the key that is sent along."""
    seen = []

    async def look(attempt: object) -> None:
        seen.append(await ledger.attempts())

    send = paid.send

    async def looking(attempt: object) -> object:
        await look(attempt)
        return await send(attempt)  # type: ignore[arg-type]

    paid.send = looking  # type: ignore[method-assign, assignment]
    outputs = await guard.assess(request())
    assert outputs.cost == 2.0
    assert [a.outcome for a in seen[0]] == [Outcome.OPEN]
    assert await outcomes(ledger) == [Outcome.DONE]


async def test_a_finished_call_is_never_paid_for_again(
    open_guard: Open, paid: ScriptedPaid
) -> None:
    """Not by another push, not by another process."""
    first = await open_guard().assess(request())
    again = await open_guard().assess(request(workflow="w2"))
    assert again == first
    assert len(paid.sent) == 1


async def test_a_finished_call_that_is_too_old_is_made_again(
    guard: GuardedAssessor, paid: ScriptedPaid, clock: Clock
) -> None:
    """With a key of its own: the service must not think that it is the old one."""
    await guard.assess(request())
    clock.tick(31 * 86_400)
    await guard.assess(request(workflow="w2"))
    await guard.assess(request(workflow="w2"))
    assert len(paid.sent) == 2
    assert len({attempt.call.key for attempt in paid.sent}) == 2


async def test_a_renewal_is_paid_for_once_with_its_retries(
    guard: GuardedAssessor, paid: ScriptedPaid
) -> None:
    """Every attempt and user retry of one `force_rerun` carries the same key."""
    await guard.assess(request())
    await guard.assess(request(workflow="w2", renew=True, origin="w2"))
    await guard.assess(request(workflow="w3", renew=True, origin="w2"))
    assert len(paid.sent) == 2
    await guard.assess(request(workflow="w4", renew=True, origin="w4"))
    assert len({attempt.call.key for attempt in paid.sent}) == 3


async def test_of_two_that_want_the_same_at_once_one_pays(
    open_guard: Open, paid: ScriptedPaid
) -> None:
    """At most one call of the same inputs and assessor is outstanding, over all processes."""
    paid.delay = 0.05
    guards = [open_guard(), open_guard()]
    answers = await asyncio.gather(*(g.assess(request()) for g in guards for _ in range(3)))
    assert len(paid.sent) == paid.most_outstanding == 1
    assert len({answer.final_score for answer in answers}) == 1


async def test_an_answer_stored_by_a_worker_that_died_is_read_and_not_paid_for_again(
    open_guard: Open, paid: ScriptedPaid, ledger: Ledger, clock: Clock
) -> None:
    """The worker dies between storing and reading."""
    dying = open_guard()

    async def die(*args: object, **named: object) -> None:
        raise KeyboardInterrupt

    ended = ledger.ended
    ledger.ended = die  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        await dying.assess(request())
    ledger.ended = ended  # type: ignore[method-assign]
    assert await outcomes(ledger) == [Outcome.ANSWERED]
    assert (await open_guard().assess(request())).final_score == 40
    assert len(paid.sent) == 1
    assert await outcomes(ledger) == [Outcome.DONE]


async def test_a_call_lost_with_its_worker_is_made_again(
    open_guard: Open, paid: ScriptedPaid, ledger: Ledger, clock: Clock
) -> None:
    paid.delay = 60
    dying = asyncio.create_task(open_guard().assess(request()))
    while not paid.sent:
        await asyncio.sleep(0.01)
    clock.tick(31)  # its last sign of life is older than a lease
    quick = ScriptedPaid()
    await open_guard(quick).assess(request())
    assert [attempt.number for attempt in quick.sent] == [2]
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)


async def test_a_cancelled_call_is_lost_and_costs(
    guard: GuardedAssessor, paid: ScriptedPaid, ledger: Ledger
) -> None:
    """A worker told to stop cuts its calls; the service may have done them."""
    paid.delay = 60
    task = asyncio.create_task(guard.assess(request()))
    while not paid.sent:
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await outcomes(ledger) == [Outcome.LOST]
    assert (await ledger.spending()).day == 2.0


@pytest.mark.parametrize(
    ("error", "outcome", "cost"),
    [
        (TransientError("HTTP 500"), Outcome.REFUSED, 0),
        (NotSent("no connection"), Outcome.UNSENT, 0),
        (AnswerLost("timed out"), Outcome.LOST, 2.0),
        (AssessmentFailed("HTTP 400"), Outcome.REFUSED, 0),
        ("garbage", Outcome.UNREADABLE, 2.0),
        ("error", Outcome.FAILED, 2.0),
    ],
)
async def test_how_a_call_failed_is_recorded_with_what_it_may_have_cost(
    guard: GuardedAssessor,
    paid: ScriptedPaid,
    ledger: Ledger,
    error: Exception | str,
    outcome: Outcome,
    cost: float,
) -> None:
    """Money is counted where the work may have been done, never where it cannot have been."""
    paid.script = [error]
    with pytest.raises((TransientError, AssessmentFailed)):
        await guard.assess(request())
    assert await outcomes(ledger) == [outcome]
    assert (await ledger.spending()).day == cost
    await guard.assess(request())
    assert len(paid.sent) == 2


async def test_a_stale_answer_is_asked_again_at_once(
    guard: GuardedAssessor, paid: ScriptedPaid, ledger: Ledger
) -> None:
    paid.script = ["stale"]
    assert (await guard.assess(request())).final_score == 40
    assert await outcomes(ledger) == [Outcome.STALE, Outcome.DONE]


@pytest.mark.parametrize("lost", [AnswerLost("timed out"), "garbage"])
async def test_what_was_paid_in_vain_is_in_the_cost_of_the_assessment(
    open_guard: Open, paid: ScriptedPaid, ledger: Ledger, lost: Exception | str
) -> None:
    """Also where another process found the answer; a refused attempt adds nothing."""
    paid.script = [lost, TransientError("HTTP 500"), lost]
    for _ in range(3):
        with pytest.raises(TransientError):
            await open_guard().assess(request())
    assert (await open_guard().assess(request(workflow="w2"))).cost == 6.0
    assert (await open_guard().assess(request(workflow="w3"))).cost == 6.0
    assert (await ledger.spending()).day == 6.0


async def test_parts_that_are_paid_for_are_found_again(
    guard: GuardedAssessor, paid: ScriptedPaid
) -> None:
    """An assessment of several calls that fails at the last pays only for that again."""
    paid.parts = ("a", "b", "c")
    paid.script = ["1", "2", TransientError("HTTP 500")]
    with pytest.raises(TransientError):
        await guard.assess(request())
    outputs = await guard.assess(request())
    assert [attempt.call.part for attempt in paid.sent] == ["a", "b", "c", "c"]
    assert outputs.cost == 6.0


async def test_a_call_that_always_fails_is_sent_five_times_a_push(
    open_guard: Open, paid: ScriptedPaid
) -> None:
    """Over all leases and processes: what a worker tried before it died counts."""
    paid.script = [TransientError("HTTP 500")] * 99
    errors = []
    for _ in range(ATTEMPTS + 2):
        with pytest.raises((TransientError, EtterError)) as raised:
            await open_guard().assess(request())
        errors.append(raised.value)
    assert len(paid.sent) == ATTEMPTS
    last = errors[-1]
    assert isinstance(last, EtterError)
    assert (last.code, last.message, last.recoverable) == (
        ErrorCode.STEP_FAILED,
        "HTTP 500",
        True,
    )
    with pytest.raises(TransientError):
        await open_guard().assess(request(workflow="w2"))


async def test_an_open_breaker_burns_no_attempts(
    guard: GuardedAssessor, paid: ScriptedPaid, clock: Clock
) -> None:
    """Its pushes are given back, and are tried again when it has had its rest."""
    paid.script = [TransientError("HTTP 500")] * 5
    for role in ("a", "b", "c", "d"):
        with pytest.raises(TransientError):
            await guard.assess(request(role))
    with pytest.raises(Postponed):
        await guard.assess(request("e"))
    with pytest.raises(Postponed) as raised:
        await guard.assess(request("f"))
    assert raised.value.code is ErrorCode.STEP_FAILED
    assert len(paid.sent) == 5
    assert (await guard.room()).closed is not None
    clock.tick(SHORTEST_REST)
    assert (await guard.room()).calls == 1
    await guard.assess(request("f"))
    assert (await guard.room()).calls is None


async def test_a_service_that_is_still_down_is_not_tried_with_a_push(
    guard: GuardedAssessor, paid: ScriptedPaid, clock: Clock
) -> None:
    """A long outage would burn the attempts of the first push in the queue, one a probe."""
    paid.script = [NotSent("no connection")] * 3
    for _ in range(2):
        with pytest.raises(TransientError):
            await guard.assess(request())
    with pytest.raises(Postponed):
        await guard.assess(request())
    paid.down = True
    clock.tick(SHORTEST_REST)
    assert (await guard.room()).closed is not None
    assert (paid.pings, len(paid.sent)) == (1, 3)
    with pytest.raises(TransientError):
        await guard.ping()


async def test_a_spent_budget_postpones_and_says_until_when(
    open_guard: Open, paid: ScriptedPaid, clock: Clock
) -> None:
    guard = open_guard(budget_per_day=4.0)
    assert await guard.refusal("Acme") is None
    assert await guard.budget_left() == 4.0
    for role in ("a", "b"):
        await guard.assess(request(role))
    with pytest.raises(Postponed) as raised:
        await guard.assess(request("c"))
    assert raised.value.code is ErrorCode.BUDGET_EXCEEDED
    assert raised.value.retry_after == 15 * 3600  # the clock stands at nine
    assert await guard.refusal("Acme") is not None
    assert await guard.budget_left() == 0
    assert (await guard.assess(request("a", workflow="w9"))).cost == 2.0  # it is paid for
    assert (await open_guard(budget_per_day=6.0).assess(request("c"))).cost == 2.0
    clock.tick(15 * 3600)
    assert (await guard.assess(request("d"))).cost == 2.0


async def test_calls_wait_for_a_place_and_are_never_more_than_allowed(
    open_guard: Open, paid: ScriptedPaid
) -> None:
    """Over all processes; nobody is refused for want of a place."""
    paid.delay = 0.02
    guards = [open_guard(assessor_max_concurrent=3) for _ in range(2)]
    await asyncio.gather(*(guards[n % 2].assess(request(f"r{n}")) for n in range(12)))
    assert (len(paid.sent), paid.most_outstanding) == (12, 3)
    assert (await guards[0].room()).calls == 3


async def test_a_long_retry_after_gives_the_push_back(
    guard: GuardedAssessor, paid: ScriptedPaid
) -> None:
    """Waiting with the push in hand would run into the step's timeout."""
    paid.script = [TransientError("HTTP 429", retry_after=3000)]
    with pytest.raises(Postponed) as raised:
        await guard.assess(request())
    assert raised.value.retry_after == 3000
    assert len(paid.sent) == 1


async def test_a_short_retry_after_is_left_to_the_step_that_retries(
    guard: GuardedAssessor, paid: ScriptedPaid
) -> None:
    paid.script = [TransientError("HTTP 429", retry_after=2)]
    with pytest.raises(TransientError) as raised:
        await guard.assess(request())
    assert raised.value.retry_after == 2
