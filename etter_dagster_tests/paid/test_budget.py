"""Budgets end to end: as many are paid as the budget allows; the others wait or are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.model.identity import role_id
from etter_dagster.model.reassessment import Verdict
from etter_dagster.onboarding.accept import Accepted, accept, accept_many
from etter_dagster.onboarding.nightly import reassessment_plan
from etter_dagster.onboarding.role_setup import linked_documents
from etter_dagster.onboarding.services import open_services
from etter_dagster.settings import Settings
from etter_dagster_tests.paid.conftest import Paid, states
from etter_dagster_tests.standin.state import ASSESS, Fault, StandinState
from etter_dagster_tests.support import JD, order, work_off

PUSHES, BUDGET = 30, 10


@pytest.fixture
def paid_settings(paid_settings: Settings) -> Settings:
    return paid_settings.with_changes(budget_per_day=float(BUDGET))


async def test_exactly_the_budget_is_paid_and_the_others_go_on_when_it_is_raised(
    paid: Paid, paid_settings: Settings
) -> None:
    """Accepted pushes wait as `queued`; new ones are refused with `BUDGET_EXCEEDED`."""
    ids = await paid.push([f"role {n}" for n in range(PUSHES)])
    assert len(ids) == PUSHES, "nothing was spent yet, so nothing is refused"
    await work_off(paid.services)
    assert await paid.states(ids) == {"ready": BUDGET, "queued": PUSHES - BUDGET}
    assert paid.state.count(ASSESS) == BUDGET
    assert paid.services.assessors.guard is not None
    assert await paid.services.assessors.guard.budget_left() == 0
    assert {push.attempts for push in (await paid.pushes(ids)).values()} == {0, 1}

    counts = await paid.services.queue.counts(await paid.services.limits_now())
    assert counts.claimable == 0, "no run is launched in vain"
    with pytest.raises(EtterError) as refused:
        await accept(paid.services, order("one more", "Acme"))
    assert refused.value.code is ErrorCode.BUDGET_EXCEEDED
    assert refused.value.retry_after is not None
    assert 0 < refused.value.retry_after <= 86_400
    ready = await accept(paid.services, order("role 0", "Acme", documents=()))
    assert ready.status.value == "ready", "what costs nothing is not refused"

    raised = open_services(paid_settings.with_changes(budget_per_day=float(PUSHES - 5)))
    try:
        await work_off(raised)
        assert await paid.states(ids) == {"ready": PUSHES - 5, "queued": 5}
        assert paid.state.count(ASSESS) == PUSHES - 5
    finally:
        await raised.close()


async def test_the_nightly_plan_leaves_out_what_was_spent_by_others(paid: Paid) -> None:
    """By the guard's own count, not by the whole budget of the day."""
    names = [f"role {n}" for n in range(BUDGET - 2)]
    await paid.push(names)
    await work_off(paid.services)
    for name in names[:3]:
        changed = linked_documents([DocumentRef(content=f"{JD}- More\n")], paid.services.clock())
        await paid.services.graph.link_documents(role_id("Acme", name), changed)
    plan = await reassessment_plan(paid.services)
    assert (plan.budget_left, plan.cost) == (2, 2)
    assert plan.verdicts == {Verdict.PUSH.value: 2, Verdict.DAY.value: 1}


async def test_mock_pushes_go_on_while_the_budget_is_spent(paid: Paid) -> None:
    """They cost nothing, and are what people try meanwhile."""
    await paid.push([f"role {n}" for n in range(BUDGET + 2)])
    await work_off(paid.services)
    (mock,) = await paid.push(["trial"], use_mock=True)
    await work_off(paid.services)
    assert await paid.states([mock]) == {"ready": 1}


async def test_the_next_day_s_budget_is_another(paid: Paid, paid_settings: Settings) -> None:
    ids = await paid.push([f"role {n}" for n in range(BUDGET + 3)])
    await work_off(paid.services)
    later = open_services(paid_settings, clock=lambda: paid.services.clock().replace(year=2090))
    try:
        await work_off(later)
    finally:
        await later.close()
    assert await paid.states(ids) == {"ready": BUDGET + 3}


async def test_a_company_s_raised_budget_counts_without_a_restart(
    paid_settings: Settings, tmp_path: Path
) -> None:
    """Every process reads `COMPANIES_FILE` again when it changed."""
    companies = tmp_path / "companies.json"
    companies.write_text('[{"name": "Acme", "budget_per_month": 2}]')
    settings = paid_settings.with_changes(budget_per_day=None, companies_file=companies)
    services = open_services(settings)
    try:
        answers = await accept_many(services, [order(f"role {n}") for n in range(5)])
        ids = [answer.workflow_id for answer in answers if isinstance(answer, Accepted)]
        await work_off(services)
        assert await states(services, ids) == {"ready": 2, "queued": 3}
        with pytest.raises(EtterError, match="budget_per_month in ETTER_COMPANIES_FILE"):
            await accept(services, order("one more"))
        companies.write_text('[{"name": "Acme", "budget_per_month": 40}]')
        assert (await accept(services, order("one more"))).status.value == "queued"
        await work_off(services)
        assert await states(services, ids) == {"ready": 5}
    finally:
        await services.close()


async def test_a_failed_call_that_cost_nothing_leaves_its_money_for_another(
    paid: Paid, state: StandinState
) -> None:
    state.fail(ASSESS, Fault(status=400), times=4)
    ids = await paid.push([f"role {n}" for n in range(BUDGET + 4)])
    await work_off(paid.services)
    assert await paid.states(ids) == {"ready": BUDGET, "failed": 4}


async def test_a_mock_assessment_is_stale_for_the_configured_assessor(
    paid: Paid, state: StandinState
) -> None:
    """`use_mock` never replaces a paid assessment, and never counts as one."""
    (mock,) = await paid.push(["role"], use_mock=True)
    await work_off(paid.services)
    assert (await paid.states([mock]), state.count(ASSESS)) == ({"ready": 1}, 0)
    (real,) = await paid.push(["role"])
    await work_off(paid.services)
    assert (await paid.states([real]), state.count(ASSESS)) == ({"ready": 1}, 1)
    rid = (await paid.pushes([real]))[real].role_id
    current = await paid.services.graph.current_assessment(rid)
    assert current is not None
    assert (current.assessor.name, current.cost) == ("workflow_api", 1.0)
    again = await paid.push(["role"], use_mock=True)
    await work_off(paid.services)
    still = await paid.services.graph.current_assessment(rid)
    assert still == current
    assert len(again) == 1


async def test_a_document_that_is_no_jd_is_told_apart_before_the_service_is_asked(
    paid: Paid, state: StandinState
) -> None:
    """Nothing is linked there and nothing is paid; the push says what the document looks like."""
    agenda = (
        "Weekly team meeting - agenda\n\nDate: Monday, 9:00-10:00\nAttendees: Ann, Bob, Carla\n\n"
        "1. Welcome and minutes of the last meeting\n2. Status of the projects (Bob)\n"
        "3. Open questions\n4. Any other business\n\nNext meeting: Monday, 9:00\n"
    )
    document = DocumentRef(content=agenda)
    accepted = await accept(paid.services, order("role", "Acme", documents=(document,)))
    await work_off(paid.services)
    push = (await paid.pushes([accepted.workflow_id]))[accepted.workflow_id]
    assert (push.status.value, push.attempts) == ("failed", 1)
    assert push.error is not None
    assert push.error.code == ErrorCode.ASSESSMENT_FAILED.value
    assert "meeting" in push.error.message
    assert state.calls == []
    assert await paid.services.ledger.attempts() == []
