"""What every `Ledger` promises: attempts, raw answers, money, one holder a subject."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest

from etter_dagster.model.breaker import REST_SECONDS, THRESHOLD, Signal
from etter_dagster.model.errors import LeaseLost
from etter_dagster.model.ledger import Attempt, CallId, NewAttempt, Outcome, RawAnswer
from etter_dagster.model.spending import Refusal, SpendLimits, Why
from etter_dagster.settings import Settings
from etter_dagster.stores import Ledger, open_ledger
from etter_dagster.stores.ledger import KEEP_ANSWERS_SECONDS
from etter_dagster_tests.conftest import Clock

LIMITS = SpendLimits(cost=1.5)
GOOD = Signal(ok=True)
TTL = 30.0


@pytest.fixture
def open_a_ledger(queue_stores: Settings, clock: Clock) -> Callable[[], Ledger]:
    """Opens the same ledger again, as another process would."""
    return lambda: open_ledger(queue_stores, clock)


@pytest.fixture
async def ledger(open_a_ledger: Callable[[], Ledger]) -> AsyncIterator[Ledger]:
    opened = open_a_ledger()
    yield opened
    await opened.close()


def call(role: str = "r1", *, key: str | None = None, company: str = "Acme") -> CallId:
    return CallId(
        key=key or f"key-{role}",
        part="assessment",
        subject=f"subject-{role}",
        assessor="workflow_api",
        role_id=role,
        company_id=company,
    )


async def begin(
    ledger: Ledger,
    role: str = "r1",
    *,
    workflow: str = "w1",
    holder: str = "h",
    limits: SpendLimits = LIMITS,
    key: str | None = None,
    company: str = "Acme",
    text: str = "t1",
) -> Attempt | Refusal:
    new = NewAttempt(
        call=call(role, key=key, company=company),
        workflow_id=workflow,
        holder=holder,
        text_hash=text,
        notes={"delete_existing": True},
    )
    await ledger.beat(holder, ttl_seconds=TTL)
    await ledger.take(new.call.subject, holder)
    return await ledger.begin(new, limits)


async def begun(ledger: Ledger, role: str = "r1", **more: object) -> Attempt:
    attempt = await begin(ledger, role, **more)  # type: ignore[arg-type]
    assert isinstance(attempt, Attempt), attempt
    return attempt


async def refused(ledger: Ledger, role: str = "r1", **more: object) -> Refusal:
    refusal = await begin(ledger, role, **more)  # type: ignore[arg-type]
    assert isinstance(refusal, Refusal), refusal
    return refusal


async def test_an_attempt_is_recorded_before_it_is_sent_and_its_answer_before_it_is_read(
    ledger: Ledger, open_a_ledger: Callable[[], Ledger]
) -> None:
    """The order that makes a crash cost nothing; another process sees each step."""
    attempt = await begun(ledger)
    other = open_a_ledger()
    try:
        past = await other.past(call())
        assert past.last == attempt
        assert (past.answer, attempt.outcome, attempt.number) == (None, Outcome.OPEN, 1)
        assert attempt.notes == {"delete_existing": True}
        await ledger.answered(attempt.attempt_id, RawAnswer(body="{raw", usage={"tokens": 3}))
        past = await other.past(call())
        assert past.answer == RawAnswer(body="{raw", usage={"tokens": 3})
        assert past.last is not None
        assert past.last.outcome is Outcome.ANSWERED
        done = await ledger.ended(attempt.attempt_id, Outcome.DONE, GOOD, reference="req-1")
        assert (done.outcome, done.reference, done.cost) == (Outcome.DONE, "req-1", 1.5)
        assert (await other.past(call())).references == ("req-1",)
    finally:
        await other.close()


async def test_one_holder_has_a_subject_until_it_lets_it_go(ledger: Ledger) -> None:
    """At most one call of the same inputs and assessor is outstanding, over all processes."""
    for holder in "ab":
        await ledger.beat(holder, ttl_seconds=TTL)
    assert await ledger.take("s", "a")
    assert not await ledger.take("s", "b")
    assert not await ledger.take("s", "a")
    await ledger.free("s", "b")
    assert not await ledger.take("s", "b")
    await ledger.free("s", "a")
    assert await ledger.take("s", "b")


async def test_of_many_that_want_a_subject_at_once_one_gets_it(
    ledger: Ledger, open_a_ledger: Callable[[], Ledger]
) -> None:
    other = open_a_ledger()
    try:
        for holder in "ab":
            await ledger.beat(holder, ttl_seconds=TTL)
        wants = [(ledger, "a"), (other, "b")] * 10
        got = await asyncio.gather(*(store.take("s", holder) for store, holder in wants))
        assert sum(got) == 1
    finally:
        await other.close()


async def test_what_a_dead_holder_had_open_is_lost_and_stays_paid(
    ledger: Ledger, clock: Clock
) -> None:
    """The call may have been done: its money counts, and its subject is free."""
    attempt = await begun(ledger, holder="dies")
    await ledger.beat("next", ttl_seconds=TTL)
    assert not await ledger.take(attempt.call.subject, "next")
    clock.tick(TTL + 1)
    assert (await ledger.situation("workflow_api", LIMITS)).outstanding == 0
    await ledger.beat("next", ttl_seconds=TTL)
    assert await ledger.take(attempt.call.subject, "next")
    past = await ledger.past(attempt.call)
    assert past.last is not None
    assert (past.last.outcome, past.last.cost) == (Outcome.LOST, 1.5)
    assert (await ledger.spending()).day == 1.5
    with pytest.raises(LeaseLost):
        await ledger.begin(
            NewAttempt(call=attempt.call, workflow_id="w1", holder="dies", text_hash="t"), LIMITS
        )


async def test_an_answer_that_comes_after_its_holder_was_given_up_is_kept(
    ledger: Ledger, clock: Clock
) -> None:
    """It was paid for; a worker that was only paused must not lose it."""
    attempt = await begun(ledger, holder="pauses")
    clock.tick(TTL + 1)
    await ledger.beat("next", ttl_seconds=TTL)
    assert await ledger.take(attempt.call.subject, "next")
    await ledger.answered(attempt.attempt_id, RawAnswer(body="late"))
    past = await ledger.past(attempt.call)
    assert past.answer == RawAnswer(body="late")


async def test_a_holder_that_leaves_frees_what_it_has(ledger: Ledger) -> None:
    attempt = await begun(ledger, holder="a")
    await ledger.leave("a")
    await ledger.beat("b", ttl_seconds=TTL)
    assert await ledger.take(attempt.call.subject, "b")
    last = (await ledger.past(attempt.call)).last
    assert last is not None
    assert last.outcome is Outcome.LOST


async def test_a_subject_let_go_has_nothing_open(ledger: Ledger) -> None:
    """An attempt that was given up between its record and its sending holds no place for ever."""
    attempt = await begun(ledger)
    await ledger.free(attempt.call.subject, "h")
    assert (await ledger.situation("workflow_api", LIMITS)).outstanding == 0


async def test_attempts_are_counted_per_push_over_all_its_holders(ledger: Ledger) -> None:
    """A push that is claimed again does not begin to count anew; a retry of the user does."""
    limits = SpendLimits(attempts=2)
    for number in (1, 2):
        attempt = await begun(ledger, limits=limits)
        assert attempt.number == number
        await ledger.ended(attempt.attempt_id, Outcome.REFUSED, Signal(), error="HTTP 500")
        await ledger.free(attempt.call.subject, "h")
    refusal = await refused(ledger, limits=limits, holder="another")
    assert (refusal.why, refusal.last_error) == (Why.ATTEMPTS, "HTTP 500")
    await ledger.free(attempt.call.subject, "another")
    assert (await begun(ledger, limits=limits, workflow="w2")).number == 1


async def test_money_is_reserved_before_the_call_and_settled_after_it(
    ledger: Ledger, clock: Clock
) -> None:
    """A refused call costs nothing; what the service says of its cost holds."""
    first = await begun(ledger, "r1")
    second = await begun(ledger, "r2", company="Other")
    assert (await ledger.spending()).day == 3.0
    await ledger.ended(first.attempt_id, Outcome.REFUSED, Signal())
    assert (await ledger.spending()).day == 1.5
    await ledger.answered(second.attempt_id, RawAnswer(body="{}", cost=0.25))
    await ledger.ended(second.attempt_id, Outcome.DONE, GOOD)
    found = await ledger.spending()
    assert (found.day, found.month, found.cost) == (0.25, 0.25, 0.25)
    assert found.companies == {"Acme": 0.0, "Other": 0.25}
    assert found.attempts == {"refused": 1, "done": 1}


@pytest.mark.parametrize(
    "limits",
    [
        SpendLimits(cost=0.1, per_day=0.3),
        SpendLimits(cost=0.1, per_month=0.3),
        SpendLimits(cost=0.1, companies={"Acme": 0.3}),
    ],
)
async def test_no_call_begins_that_would_go_over_a_budget(
    ledger: Ledger, clock: Clock, limits: SpendLimits
) -> None:
    """Exactly as many as the budget pays for, with fractions that no float adds up exactly."""
    answers = await asyncio.gather(*(begin(ledger, f"r{n}", limits=limits) for n in range(5)))
    kinds = Counter(type(answer) for answer in answers)
    assert kinds == {Attempt: 3, Refusal: 2}
    refusal = next(a for a in answers if isinstance(a, Refusal))
    assert refusal.why is Why.BUDGET
    assert refusal.retry_at is not None
    clock.now = refusal.retry_at
    await begun(ledger, "r9", limits=limits)


async def test_a_company_s_budget_stops_that_company_only(ledger: Ledger) -> None:
    limits = SpendLimits(cost=1, companies={"Acme": 1})
    await begun(ledger, "r1", limits=limits)
    assert (await refused(ledger, "r2", limits=limits)).why is Why.BUDGET
    await begun(ledger, "r3", limits=limits, company="Other")


async def test_no_more_calls_are_outstanding_than_allowed(ledger: Ledger) -> None:
    limits = SpendLimits(concurrent=2)
    answers = await asyncio.gather(*(begin(ledger, f"r{n}", limits=limits) for n in range(5)))
    attempts = [answer for answer in answers if isinstance(answer, Attempt)]
    assert len(attempts) == 2
    assert (await refused(ledger, "r9", limits=limits)).why is Why.CONCURRENCY
    await ledger.ended(attempts[0].attempt_id, Outcome.DONE, GOOD)
    await begun(ledger, "r9", limits=limits)


@pytest.mark.parametrize(("rate", "count", "seconds"), [(2.0, 2, 60), (0.5, 1, 120), (1.5, 2, 80)])
async def test_no_more_calls_begin_in_a_window_than_allowed(
    ledger: Ledger, clock: Clock, rate: float, count: int, seconds: int
) -> None:
    """A moving window: a fixed one lets twice as many through at its edge."""
    limits = SpendLimits(per_minute=rate)
    for n in range(count):
        await begun(ledger, f"r{n}", limits=limits)
        clock.tick(1)
    refusal = await refused(ledger, "next", limits=limits)
    assert refusal.why is Why.RATE
    assert refusal.retry_at is not None
    assert (refusal.retry_at - clock.now).total_seconds() == seconds - count
    clock.now = refusal.retry_at
    await begun(ledger, "next", limits=limits)


async def test_failures_of_several_roles_open_the_breaker_and_a_probe_closes_it(
    ledger: Ledger, clock: Clock
) -> None:
    """One role that always fails says nothing of the service; several do."""
    for _ in range(THRESHOLD):
        attempt = await begun(ledger, "always")
        await ledger.ended(attempt.attempt_id, Outcome.REFUSED, Signal(ok=False, mark="always"))
    for n in range(THRESHOLD - 1):
        attempt = await begun(ledger, f"r{n}")
        await ledger.ended(attempt.attempt_id, Outcome.REFUSED, Signal(ok=False, mark=f"r{n}"))
    refusal = await refused(ledger, "c")
    assert refusal.why is Why.BREAKER
    assert refusal.retry_at is not None
    clock.now = refusal.retry_at
    probe = await begun(ledger, "c")
    assert (await refused(ledger, "d")).why is Why.BREAKER, "only one probes"
    await ledger.ended(probe.attempt_id, Outcome.DONE, GOOD)
    await begun(ledger, "d")


async def test_a_probe_that_fails_opens_the_breaker_for_twice_as_long(
    ledger: Ledger, clock: Clock
) -> None:
    for n in range(THRESHOLD):
        await ledger.note("workflow_api", Signal(ok=False, mark=str(n)))
    clock.tick(REST_SECONDS)
    probe = await begun(ledger)
    await ledger.ended(probe.attempt_id, Outcome.LOST, Signal(ok=False, mark="r1"))
    refusal = await refused(ledger, "r2")
    assert refusal.retry_at is not None
    assert (refusal.retry_at - clock.now).total_seconds() == 2 * REST_SECONDS


async def test_retry_after_holds_everybody_back(ledger: Ledger, clock: Clock) -> None:
    attempt = await begun(ledger)
    signal = Signal(ok=False, mark="r1", retry_after=20)
    await ledger.ended(attempt.attempt_id, Outcome.REFUSED, signal)
    refusal = await refused(ledger, "r2")
    assert refusal.why is Why.PAUSED
    clock.tick(20)
    await begun(ledger, "r2")


async def test_the_past_of_a_role_says_which_text_the_service_saw_last(ledger: Ledger) -> None:
    """Its cache may hold the answer to that one, also when we never got it."""
    assert (await ledger.past(call())).text_hash is None
    first = await begun(ledger, text="old")
    await ledger.ended(first.attempt_id, Outcome.LOST, Signal())
    second = await begun(ledger, text="never seen", key="k2")
    await ledger.ended(second.attempt_id, Outcome.UNSENT, Signal())
    assert (await ledger.past(call(key="k3"))).text_hash == "old"


async def test_the_past_of_a_call_says_what_all_its_attempts_cost(ledger: Ledger) -> None:
    """That is what its assessment costs; a refused one is free, other calls do not count."""
    assert (await ledger.past(call())).cost == 0
    for outcome, workflow in [
        (Outcome.UNREADABLE, "w1"),
        (Outcome.REFUSED, "w1"),
        (Outcome.LOST, "w2"),
        (Outcome.DONE, "w2"),
    ]:
        attempt = await begun(ledger, workflow=workflow)
        await ledger.ended(attempt.attempt_id, outcome, Signal())
    await begun(ledger, key="another")
    assert (await ledger.past(call())).cost == 3 * LIMITS.cost > 0


async def test_attempts_are_listed_newest_first(ledger: Ledger) -> None:
    for role in ("r1", "r2", "r3"):
        await begun(ledger, role)
    assert [a.call.role_id for a in await ledger.attempts()] == ["r3", "r2", "r1"]
    assert [a.call.role_id for a in await ledger.attempts(role_id="r2")] == ["r2"]


async def test_raw_answers_are_forgotten_after_a_week(
    ledger: Ledger, clock: Clock, queue_stores: Settings, request: pytest.FixtureRequest
) -> None:
    """A hundred thousand of them would be gigabytes; the assessments are in the graph by then."""
    old = await begun(ledger, "r1")
    await ledger.answered(old.attempt_id, RawAnswer(body="old"))
    clock.tick(KEEP_ANSWERS_SECONDS + 1)
    if not queue_stores.embedded_queue:
        # Redis forgets by its own clock, which no test can move: only its word, and what follows.
        client = request.getfixturevalue("redis").client()
        (answer,) = client.scan_iter(match="*answer*")
        assert 0 < client.ttl(answer) <= KEEP_ANSWERS_SECONDS
        client.expire(answer, 0)
    new = await begun(ledger, "r2")
    await ledger.answered(new.attempt_id, RawAnswer(body="new"))
    assert (await ledger.past(old.call)).answer is None
    assert (await ledger.past(new.call)).answer == RawAnswer(body="new")


async def test_of_a_deleted_company_the_money_stays_and_what_was_said_goes(ledger: Ledger) -> None:
    """Sums of a month must still be right; what its roles were is nobody's to keep."""
    for role, company in (("r1", "Acme"), ("r2", "Acme"), ("r3", "Globex")):
        attempt = await begun(ledger, role, company=company)
        await ledger.answered(attempt.attempt_id, RawAnswer(body=f"what {role} does"))
        await ledger.ended(attempt.attempt_id, Outcome.FAILED, GOOD, error=f"no score for {role}")
    before = await ledger.spending()
    assert await ledger.forget_answers("Acme") == 2
    assert await ledger.forget_answers("Acme") == 2, "it may be repeated"
    assert await ledger.forget_answers("Initech") == 0
    assert await ledger.spending() == before
    assert before.companies == {"Acme": 3.0, "Globex": 1.5}
    for role, company in (("r1", "Acme"), ("r3", "Globex")):
        past = await ledger.past(call(role, company=company))
        assert past.last is not None
        assert (past.last.outcome, past.last.cost) == (Outcome.FAILED, 1.5)
        kept = company != "Acme"
        assert (past.answer is not None, past.last.error is not None) == (kept, kept)
