"""The nightly plan under budgets: what it pushes is paid, neither refused nor stuck."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.identity import role_id
from etter_dagster.model.reassessment import Verdict
from etter_dagster.onboarding.accept import accept_many
from etter_dagster.onboarding.nightly import push_plan, reassessment_plan
from etter_dagster.onboarding.role_setup import linked_documents
from etter_dagster.settings import Settings
from etter_dagster_tests.paid.conftest import Paid
from etter_dagster_tests.standin.state import ASSESS, Fault, StandinState
from etter_dagster_tests.support import JD, order, work_off

DAY, POOR_MONTH = 12.0, 3.0


async def work_off_plan(paid: Paid) -> None:
    """A night, with all that it pushes."""
    await push_plan(paid.services, await reassessment_plan(paid.services))
    await work_off(paid.services)


@pytest.fixture
def paid_settings(paid_settings: Settings, tmp_path: Path) -> Settings:
    companies = tmp_path / "companies.json"
    companies.write_text(json.dumps([{"name": "Poor Inc.", "budget_per_month": POOR_MONTH}]))
    return paid_settings.with_changes(budget_per_day=DAY, companies_file=companies)


async def assessed(paid: Paid, company: str, names: Sequence[str]) -> None:
    """Ready roles whose JD is another now."""
    await accept_many(paid.services, [order(name, company) for name in names])
    await work_off(paid.services)
    for name in names:
        changed = linked_documents([DocumentRef(content=f"{JD}- More\n")], paid.services.clock())
        await paid.services.graph.link_documents(role_id(company, name), changed)


async def test_a_company_s_budget_cuts_its_roles_and_the_others_go_on(
    paid: Paid, state: StandinState
) -> None:
    await assessed(paid, "Poor Inc.", ["Analyst", "Baker"])  # leaves 1 of its month
    await assessed(paid, "Acme", ["Clerk", "Driver"])  # 8 left of the day
    plan = await reassessment_plan(paid.services)
    assert plan.verdicts == {Verdict.PUSH.value: 3, Verdict.COMPANY.value: 1}
    done = await push_plan(paid.services, plan)
    assert (done.pushed, done.refused) == (3, {})
    before = state.count(ASSESS)
    await work_off(paid.services)
    assert state.count(ASSESS) - before == 3, "all that was pushed was paid"
    assert (await reassessment_plan(paid.services)).verdicts == {Verdict.COMPANY.value: 1}


async def test_what_an_earlier_assessment_fits_costs_nothing(
    paid: Paid, state: StandinState
) -> None:
    """Its text is as before again: no budget cuts it, and it leaves the money to the others."""
    await assessed(paid, "Poor Inc.", ["Analyst"])
    await work_off_plan(paid)  # 1 left of its month
    await assessed(paid, "Poor Inc.", ["Baker"])  # nothing left
    first = linked_documents(order().documents, paid.services.clock())
    await paid.services.graph.link_documents(role_id("Poor Inc.", "Analyst"), first)
    plan = await reassessment_plan(paid.services)
    assert [(p.role.role_name, p.verdict, p.cost) for p in plan.roles] == [
        ("Analyst", Verdict.PUSH, 0),
        ("Baker", Verdict.COMPANY, 1),
    ]
    before = state.count(ASSESS)
    assert (await push_plan(paid.services, plan)).pushed == 1
    await work_off(paid.services)
    assert state.count(ASSESS) == before
    assert (await reassessment_plan(paid.services)).verdicts == {Verdict.COMPANY.value: 1}


async def test_pushes_in_the_queue_have_their_money_kept(paid: Paid) -> None:
    """Else the night would push what then waits behind them until tomorrow."""
    await assessed(paid, "Acme", ["Analyst", "Baker", "Clerk"])  # 9 left of the day
    await paid.push([f"role {n}" for n in range(8)])
    await paid.push(["trial"], use_mock=True)
    # Of these its company's budget covers three; they hold back no more than that.
    await accept_many(paid.services, [order(f"role {n}", "Poor Inc.") for n in range(20)])
    plan = await reassessment_plan(paid.services)
    assert plan.queued_cost == 8 + POOR_MONTH
    assert plan.verdicts == {Verdict.DAY.value: 3}
    assert plan.budget_left == 0


async def test_a_push_in_work_is_counted_once(paid: Paid, state: StandinState) -> None:
    """Its money is reserved when its call begins, and is not kept a second time."""
    await assessed(paid, "Acme", ["Analyst"])  # 11 left of the day
    held = threading.Event()
    state.fail(ASSESS, Fault(hold=held), times=None)
    try:
        await paid.push([f"role {n}" for n in range(4)])
        working = asyncio.create_task(work_off(paid.services))
        while state.in_flight < 4:
            await asyncio.sleep(0.02)
        plan = await reassessment_plan(paid.services)
        assert (plan.budget_left, plan.queued_cost) == (7, 0)
    finally:
        held.set()
    await working
    assert (await reassessment_plan(paid.services)).budget_left == 7
