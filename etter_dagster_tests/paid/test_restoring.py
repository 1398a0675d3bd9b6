"""What costs nothing goes on while a budget is spent: a finished assessment is found again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.push import Source
from etter_dagster.model.workflow import RoleOnboardingInput
from etter_dagster.onboarding.accept import Accepted, accept, accept_many, retry
from etter_dagster.onboarding.check import PushOrder
from etter_dagster.onboarding.library import RoleOnboardingWorkflow
from etter_dagster.onboarding.role_setup import linked_documents
from etter_dagster.settings import Settings
from etter_dagster_tests.paid.conftest import Paid
from etter_dagster_tests.standin.state import ASSESS, Fault, StandinState
from etter_dagster_tests.support import JD, order, work_off

BUDGET = 6
OTHER = (DocumentRef(content=f"{JD}- Plan budgets\n"),)
NEW = (DocumentRef(content=f"{JD}- Teach others\n"),)


@pytest.fixture(params=["day", "company"])
def paid_settings(
    request: pytest.FixtureRequest, paid_settings: Settings, tmp_path: Path
) -> Settings:
    if request.param == "day":
        return paid_settings.with_changes(budget_per_day=float(BUDGET))
    companies = tmp_path / "companies.json"
    companies.write_text(json.dumps([{"name": "Acme", "budget_per_month": BUDGET}]))
    return paid_settings.with_changes(companies_file=companies)


async def spend(paid: Paid, state: StandinState) -> None:
    """Each of three roles was assessed twice; that was the budget."""
    names = ["Analyst", "Baker", "Clerk"]
    for documents in (order().documents, OTHER):
        await accept_many(paid.services, [order(n, documents=documents) for n in names])
        await work_off(paid.services)
    assert state.count(ASSESS) == BUDGET
    await refused(paid, order("Driver"))


async def refused(paid: Paid, what: PushOrder) -> None:
    with pytest.raises(EtterError) as caught:
        await accept(paid.services, what)
    assert caught.value.code is ErrorCode.BUDGET_EXCEEDED


async def test_an_earlier_assessment_becomes_current_again(paid: Paid, state: StandinState) -> None:
    """One push, many at once, and the library; what must be paid for is still refused."""
    await spend(paid, state)
    single = await accept(paid.services, order("Analyst"))
    assert single.status.value == "queued"
    many = await accept_many(
        paid.services, [order("Baker"), order("Clerk", documents=NEW), order("Driver")]
    )
    codes = [None if isinstance(a, Accepted) else a.code for a in many]
    assert codes == [None, ErrorCode.BUDGET_EXCEEDED, ErrorCode.BUDGET_EXCEEDED]
    counts = await paid.services.queue.counts(await paid.services.limits_now())
    assert counts.claimable == 2, "a run is launched for them"
    await work_off(paid.services)
    for name in ("Analyst", "Baker"):
        role = await paid.services.graph.role(role_id("Acme", name))
        assert role is not None
        assert (role.state, role.current and role.current.basis.inputs.jd_hash) == (
            RoleStatus.READY,
            linked_documents(order().documents, paid.services.clock())[0].content_hash,
        )
    workflow = RoleOnboardingWorkflow(services=paid.services)
    result = await workflow.execute(
        RoleOnboardingInput(
            company_id="Acme",
            role_name="Clerk",
            documents=order().documents,
            draup_role_name="Data Analyst",
        )
    )
    assert result.success
    assert state.count(ASSESS) == BUDGET


async def test_a_retry_that_finds_its_assessment_is_not_refused(
    paid: Paid, state: StandinState
) -> None:
    """A new text that the service refuses; then the old one is linked again."""
    await accept(paid.services, order("Analyst"))
    await work_off(paid.services)
    state.fail(ASSESS, Fault(status=400), role="Analyst")
    failed = await accept(paid.services, order("Analyst", documents=NEW))
    await work_off(paid.services)
    await paid.push([f"role {n}" for n in range(BUDGET - 1)])
    await work_off(paid.services)
    await refused(paid, order("Driver"))
    old = linked_documents(order().documents, paid.services.clock())
    await paid.services.graph.link_documents(role_id("Acme", "Analyst"), old)
    again = await retry(paid.services, failed.workflow_id, source=Source.REST)
    await work_off(paid.services)
    assert await paid.states([again.workflow_id]) == {"ready": 1}


async def test_one_that_is_to_be_paid_after_all_waits_and_is_not_tried_without_end(
    paid: Paid, state: StandinState
) -> None:
    """Its text was changed after it was let in."""
    await spend(paid, state)
    back = await accept(paid.services, order("Analyst"))
    sop = DocumentRef(type=DocumentType.SOP, content="How to report: by mail.")
    await paid.services.graph.link_documents(
        back.role_id, linked_documents([sop], paid.services.clock())
    )
    await work_off(paid.services)
    push = (await paid.pushes([back.workflow_id]))[back.workflow_id]
    assert (push.status.value, push.attempts, push.assessor) == ("queued", 0, "workflow_api")
    counts = await paid.services.queue.counts(await paid.services.limits_now())
    assert counts.claimable == 0
    assert state.count(ASSESS) == BUDGET


async def test_mock_pushes_go_on(paid: Paid, state: StandinState) -> None:
    await spend(paid, state)
    waiting = await paid.push(["Analyst"], use_mock=True)
    await work_off(paid.services)
    assert await paid.states(waiting) == {"ready": 1}
