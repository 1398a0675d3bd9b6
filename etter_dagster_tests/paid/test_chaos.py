"""A service that fails in every way, and workers that are killed: nothing is paid for twice."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from etter_dagster.assessors.protocol import ATTEMPTS
from etter_dagster.model.ledger import Outcome
from etter_dagster_tests.paid.conftest import WAITED, Paid, Start
from etter_dagster_tests.standin.state import ASSESS, CREATE, LINK, Fault, StandinState
from etter_dagster_tests.support import work_off

ROLES = 40
FAULTS = (
    Fault(status=500),
    Fault(status=503, headers={"Retry-After": "1"}),
    Fault(status=429),
    Fault(reset=True),
    Fault(lose_answer=True),
    Fault(garbage=b"{"),
    Fault(garbage=b"[]"),
    Fault(delay=3.0),
)
LIES = (
    Fault(error="cannot"),
    Fault(status=422),
    Fault(override={"ai_automation_score": 1e9}),
    Fault(override={"assessment_data": None}),
)
TERMINAL = {"ready", "failed"}


async def until_ended(paid: Paid, ids: list[str]) -> None:
    """Waits until every push has ended."""
    deadline = time.monotonic() + WAITED.total_seconds()
    while not set(states := await paid.states(ids)) <= TERMINAL:
        assert time.monotonic() < deadline, states
        await asyncio.sleep(0.1)


async def test_every_role_ends_and_the_ledger_is_what_the_service_counted(paid: Paid) -> None:
    """Failures that pass are repeated, lies are not; the others go on."""
    names = [f"role {n}" for n in range(ROLES)]
    for n, name in enumerate(names):
        if n < len(FAULTS) * 2:
            paid.state.fail(ASSESS, FAULTS[n % len(FAULTS)], times=1 + n // len(FAULTS), role=name)
        elif n < len(FAULTS) * 2 + len(LIES):
            paid.state.fail(ASSESS, LIES[n - len(FAULTS) * 2], times=None, role=name)
    paid.state.fail(CREATE, Fault(status=502), role="role 30")
    paid.state.fail(LINK, Fault(reset=True), times=1)
    ids = await paid.push(names)
    deadline = time.monotonic() + WAITED.total_seconds()
    while not set(await paid.states(ids)) <= TERMINAL:
        assert time.monotonic() < deadline
        await work_off(paid.services)
    assert await paid.states(ids) == {"ready": ROLES - len(LIES), "failed": len(LIES)}
    assert await paid.ledger_counts() == paid.standin_counts()
    assert max(paid.standin_counts().values()) <= ATTEMPTS
    refused = names[len(FAULTS) * 2 : len(FAULTS) * 2 + len(LIES)]
    assert {paid.state.count(ASSESS, role=name) for name in refused} == {1}


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(reset=True), Fault(garbage=b"?")])
async def test_one_that_always_fails_is_asked_for_exactly_five_times_a_push(
    paid: Paid, fault: Fault
) -> None:
    paid.state.fail(ASSESS, fault, times=None)
    ids = await paid.push(["always"])
    deadline = time.monotonic() + WAITED.total_seconds()
    while await paid.states(ids) != {"failed": 1}:
        assert time.monotonic() < deadline
        await work_off(paid.services)
    assert paid.state.count(ASSESS) == ATTEMPTS
    assert await paid.ledger_counts() == {"always": ATTEMPTS}


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_five_times_a_push_over_all_its_leases(
    paid: Paid, workers: Start, state: StandinState
) -> None:
    """A worker that is killed does not make the next one begin to count anew."""
    state.fail(ASSESS, Fault(status=500), times=2)
    state.fail(ASSESS, Fault(delay=60), times=1)
    state.fail(ASSESS, Fault(status=500), times=None)
    ids = await paid.push(["always"])
    first = workers("first")
    deadline = time.monotonic() + WAITED.total_seconds()
    while state.count(ASSESS) < 3:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    first.kill()
    workers("second")
    await until_ended(paid, ids)
    assert state.count(ASSESS) == ATTEMPTS
    assert await paid.ledger_counts() == {"always": ATTEMPTS}


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_killed_worker_s_finished_calls_are_not_repeated_and_open_ones_ask_the_cache(
    paid: Paid, workers: Start, state: StandinState
) -> None:
    """Killed with -9 when a fifth is done, some calls open: their answers are on the way."""
    names = [f"role {n}" for n in range(ROLES * 2)]
    answered = threading.Event()
    for name in names[-ROLES:]:
        state.fail(ASSESS, Fault(hold=answered), role=name)
    ids = await paid.push(names)
    first = workers("first")
    deadline = time.monotonic() + WAITED.total_seconds()
    while (await paid.states(ids))["ready"] < len(names) // 5 or state.count(ASSESS) <= ROLES:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    first.kill()
    first.wait()
    answered.set()
    attempts = await paid.services.ledger.attempts(limit=10_000)
    done = {a.call.role_id for a in attempts if a.outcome is Outcome.DONE}
    opened = {a.call.role_id for a in attempts if a.outcome is Outcome.OPEN}
    assert done
    assert opened
    workers("second")
    await until_ended(paid, ids)
    assert await paid.states(ids) == {"ready": len(names)}
    role_ids = {push.role_name: push.role_id for push in (await paid.pushes(ids)).values()}
    for name in names:
        asked = [call for call in state.calls if (call.endpoint, call.role) == (ASSESS, name)]
        repeated = role_ids[name] in opened
        assert len(asked) <= (2 if repeated else 1), name
        assert not any(call.body["delete_existing"] for call in asked)
        assert len({call.idempotency_key for call in asked}) == 1
    after = await paid.ledger_counts()
    counted = paid.standin_counts()
    # Killed between the record and the sending, a call is in the ledger only.
    assert sum((counted - after).values()) == 0
    assert sum((after - counted).values()) <= len(opened)
    assert len({made["request_id"] for made in state.cache.values()}) == len(names)
