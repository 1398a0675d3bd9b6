"""The workflow API assessor behind the guard, against the stand-in of the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timezone

import pytest

from etter_dagster.assessors.guard.guarded import GuardedAssessor
from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.assessors.workflow_api.client import retry_after
from etter_dagster.assessors.workflow_api.opening import open_workflow_api
from etter_dagster.model.errors import Postponed, TransientError
from etter_dagster.model.ledger import Outcome
from etter_dagster.settings import Settings
from etter_dagster.stores import Ledger
from etter_dagster_tests.assessors.guard.conftest import ledger, priced, request
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.standin.app import create_standin
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.standin.state import ASSESS, CREATE, HEALTH, LINK, Fault, StandinState

__all__ = ["ledger", "priced"]
TOKEN = "a-token-of-the-test"
JD1, JD2 = "- Mix dough\n- Bake bread", "- Mix dough\n- Sell bread"


@pytest.fixture
def state() -> StandinState:
    return StandinState(token=TOKEN)


@pytest.fixture
def service(state: StandinState, priced: Settings) -> Iterator[Settings]:
    with serving(create_standin(state)) as url:
        yield priced.with_changes(
            assessor="workflow_api", workflow_api_base_url=url, workflow_api_token=TOKEN
        )


Open = Callable[..., GuardedAssessor]


@pytest.fixture
async def open_guard(service: Settings, ledger: Ledger, clock: Clock) -> AsyncIterator[Open]:
    opened = []

    def open_one(**changes: object) -> GuardedAssessor:
        settings = service.with_changes(**changes)
        guard = GuardedAssessor(open_workflow_api(settings, clock), ledger, settings, clock)
        opened.append(guard)
        return guard

    yield open_one
    for guard in opened:
        await guard.close()


@pytest.fixture
def guard(open_guard: Open) -> GuardedAssessor:
    return open_guard()


def flags(state: StandinState) -> list[bool]:
    return [call.body["delete_existing"] for call in state.calls if call.endpoint == ASSESS]


async def fails(guard: GuardedAssessor, state: StandinState, fault: Fault, **more: object) -> None:
    state.fail(ASSESS, fault)
    with pytest.raises((TransientError, Postponed)):
        await guard.assess(request(jd=JD1, **more))  # type: ignore[arg-type]


async def test_the_service_is_told_role_and_jd_first_and_its_id_is_kept(
    guard: GuardedAssessor, state: StandinState
) -> None:
    """It assesses the JD that it holds, not one that it is given with the question."""
    outputs = await guard.assess(request(jd=JD1))
    assert [call.endpoint for call in state.calls] == [CREATE, LINK, ASSESS]
    create, link, assess = state.calls
    assert create.body["draup_role"] == "Data Analyst"
    assert (link.body["jd_content"], link.body["format_with_llm"]) == (JD1, False)
    assert dict(assess.body) == {
        "company_name": "Acme",
        "role_name": "Analyst",
        "company_role_id": "svc-role-000001",
        "delete_existing": False,
        "store_in_neo4j": False,
    }
    assert {call.authorization for call in state.calls} == {f"Bearer {TOKEN}"}
    assert outputs.provenance["company_role_id"] == "svc-role-000001"
    assert outputs.provenance["jd_matches"] is True
    assert outputs.cost == 2.0


async def test_the_same_idempotency_key_goes_with_every_attempt_and_retry(
    guard: GuardedAssessor, state: StandinState, clock: Clock
) -> None:
    await fails(guard, state, Fault(status=500))
    await fails(guard, state, Fault(status=503), workflow="w2")
    await guard.assess(request(jd=JD1, workflow="w3"))
    keys = [call.idempotency_key for call in state.calls if call.endpoint == ASSESS]
    assert len(set(keys)) == 1
    assert keys[0]
    clock.tick(31 * 86_400)
    await guard.assess(request(jd=JD1, workflow="w4"))
    last = state.calls[-1]
    assert last.idempotency_key != keys[0]
    assert last.body["delete_existing"] is True


async def test_another_jd_is_assessed_anew(guard: GuardedAssessor, state: StandinState) -> None:
    """Without the flag the service would answer with the old JD's assessment."""
    first = await guard.assess(request(jd=JD1))
    second = await guard.assess(request(jd=JD2))
    assert flags(state) == [False, True]
    assert second.provenance["jd_matches"] is True
    assert second.provenance["request_id"] != first.provenance["request_id"]


async def test_a_jd_whose_answer_was_never_got_counts_as_another_too(
    guard: GuardedAssessor, state: StandinState
) -> None:
    """The service's cache may hold the answer that we lost."""
    await fails(guard, state, Fault(lose_answer=True))
    outputs = await guard.assess(request(jd=JD2, workflow="w2"))
    assert flags(state) == [False, True]
    assert outputs.provenance["jd_matches"] is True


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_after_a_refusal_the_repetition_keeps_the_flag(
    guard: GuardedAssessor, state: StandinState, status: int
) -> None:
    """Nothing was done: the cache still has what is not wanted."""
    await guard.assess(request(jd=JD1))
    await fails(guard, state, Fault(status=status), workflow="w2", renew=True, origin="w2")
    await guard.assess(request(jd=JD1, workflow="w2", renew=True, origin="w2"))
    assert flags(state) == [False, True, True]


async def test_after_a_lost_answer_the_repetition_gets_it_out_of_the_cache(
    guard: GuardedAssessor, state: StandinState, ledger: Ledger
) -> None:
    """The work was done and paid for; with the flag it would be done again."""
    old = await guard.assess(request(jd=JD1))
    await fails(guard, state, Fault(lose_answer=True), workflow="w2", renew=True, origin="w2")
    new = await guard.assess(request(jd=JD1, workflow="w2", renew=True, origin="w2"))
    assert flags(state) == [False, True, False]
    assert new.provenance["request_id"] != old.provenance["request_id"]


async def test_a_known_assessment_out_of_the_cache_is_not_taken_for_a_new_one(
    guard: GuardedAssessor, state: StandinState, ledger: Ledger
) -> None:
    """The lost call had never reached the service: its cache still has the old one."""
    old = await guard.assess(request(jd=JD1))
    await fails(guard, state, Fault(reset=True), workflow="w2", renew=True, origin="w2")
    new = await guard.assess(request(jd=JD1, workflow="w2", renew=True, origin="w2"))
    assert flags(state) == [False, True, False, True]
    assert new.provenance["request_id"] != old.provenance["request_id"]
    outcomes = [attempt.outcome for attempt in reversed(await ledger.attempts())]
    assert outcomes == [Outcome.DONE, Outcome.LOST, Outcome.STALE, Outcome.DONE]


async def test_an_assessment_of_another_text_is_recorded_and_not_paid_for_again(
    guard: GuardedAssessor, state: StandinState
) -> None:
    data = {
        "step_results": {
            "fetch_job_description": {"jd_content": "something else"},
            "ai_impact_quantification": {
                "ai_automation_potential_score": 20,
                "ai_augmentation_potential_score": 30,
            },
        }
    }
    state.fail(ASSESS, Fault(override={"assessment_data": data}))
    outputs = await guard.assess(request(jd=JD1))
    assert outputs.provenance["jd_matches"] is False
    assert state.count(ASSESS) == 1


@pytest.mark.parametrize(
    ("fault", "error", "outcome"),
    [
        (Fault(status=500), TransientError, Outcome.REFUSED),
        (Fault(reset=True), TransientError, Outcome.LOST),
        (Fault(lose_answer=True), TransientError, Outcome.LOST),
        (Fault(garbage=b"<html>"), TransientError, Outcome.UNREADABLE),
        (Fault(delay=30), TransientError, Outcome.LOST),
        (Fault(status=400), AssessmentFailed, Outcome.REFUSED),
        (Fault(status=401), AssessmentFailed, Outcome.REFUSED),
        (Fault(status=302), AssessmentFailed, Outcome.REFUSED),
        (Fault(error="cannot"), AssessmentFailed, Outcome.FAILED),
        (Fault(override={"ai_automation_score": None}), AssessmentFailed, Outcome.FAILED),
        (Fault(override={"ai_automation_score": 101}), AssessmentFailed, Outcome.FAILED),
    ],
)
async def test_each_way_to_fail_is_told_apart(
    open_guard: Open,
    state: StandinState,
    ledger: Ledger,
    fault: Fault,
    error: type[Exception],
    outcome: Outcome,
) -> None:
    """What may pass is repeated by the step; what is refused for good is one call."""
    guard = open_guard(workflow_api_timeout=0.5)
    state.fail(ASSESS, fault)
    with pytest.raises(error) as raised:
        await guard.assess(request(jd=JD1))
    assert state.count(ASSESS) == 1
    assert [attempt.outcome for attempt in await ledger.attempts()] == [outcome]
    assert TOKEN not in str(raised.value)
    assert "127.0.0.1" not in str(raised.value)


@pytest.mark.parametrize("endpoint", [CREATE, LINK])
async def test_nothing_is_paid_for_where_the_free_calls_fail(
    guard: GuardedAssessor, state: StandinState, ledger: Ledger, endpoint: str
) -> None:
    state.fail(endpoint, Fault(status=503))
    with pytest.raises(TransientError):
        await guard.assess(request(jd=JD1))
    assert state.count(ASSESS) == 0
    assert await ledger.attempts() == []


async def test_a_service_that_is_not_there_is_not_counted_as_called(
    service: Settings, ledger: Ledger, clock: Clock
) -> None:
    settings = service.with_changes(workflow_api_base_url="http://127.0.0.1:9")
    guard = GuardedAssessor(open_workflow_api(settings, clock), ledger, settings, clock)
    with pytest.raises(TransientError, match="cannot be reached"):
        await guard.assess(request())
    with pytest.raises(TransientError):
        await guard.ping()
    assert (await ledger.spending()).cost == 0
    await guard.close()


async def test_retry_after_is_passed_on(guard: GuardedAssessor, state: StandinState) -> None:
    state.fail(ASSESS, Fault(status=429, headers={"Retry-After": "7"}))
    with pytest.raises(TransientError) as raised:
        await guard.assess(request())
    assert raised.value.retry_after == 7


def test_retry_after_may_be_a_date_or_nonsense() -> None:
    now = datetime(2026, 1, 5, 9, 0, tzinfo=timezone.utc)
    assert retry_after("Mon, 05 Jan 2026 09:01:00 GMT", now) == 60
    assert retry_after("Mon, 05 Jan 2026 08:00:00 GMT", now) == 0
    assert [retry_after(text, now) for text in (None, "", "soon", "-3", "\u00b2")] == [None] * 5


async def test_its_health_is_asked_without_cost(
    guard: GuardedAssessor, state: StandinState
) -> None:
    await guard.ping()
    state.fail(HEALTH, Fault(status=404))
    with pytest.raises(TransientError):
        await guard.ping()
    assert state.count(ASSESS) == 0


async def test_a_hundred_roles_are_assessed_at_once(
    guard: GuardedAssessor, state: StandinState, ledger: Ledger
) -> None:
    """Calls take minutes: a pool of ten connections would make a thousand roles take hours."""
    state.delay = 2.0
    await asyncio.gather(*(_own(guard, n) for n in range(100)))
    assert state.most_in_flight > 50
    assert (await ledger.spending()).attempts == {"done": 100}


async def _own(guard: GuardedAssessor, n: int) -> None:
    asked = request(f"r{n}", workflow=f"w{n}", jd=f"- Task {n}")
    await guard.assess(asked.model_copy(update={"role_name": f"Role {n}"}))
