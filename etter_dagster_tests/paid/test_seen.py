"""What people and machines see of paid assessments: health, metrics, the doctor, the status."""

from __future__ import annotations

import asyncio

from etter_dagster.api import lately
from etter_dagster.api.health import Health
from etter_dagster.api.metrics import Metrics
from etter_dagster.cli.doctor_services import check_services
from etter_dagster.onboarding.partition_run import work_roles
from etter_dagster.onboarding.services import open_services
from etter_dagster.settings import Settings
from etter_dagster_tests.paid.conftest import Paid
from etter_dagster_tests.standin.state import ASSESS, HEALTH, Fault, StandinState
from etter_dagster_tests.support import Recorder, work_off


async def assessor_health(paid: Paid) -> tuple[str, str]:
    health = Health(paid.services)
    try:
        while True:
            view = await health.look()
            if not health.asking:
                return view.components["assessor"], view.status
            await asyncio.sleep(0.01)
    finally:
        await health.close()


async def metrics(paid: Paid) -> str:
    health = Health(paid.services)
    try:
        return bytes((await Metrics().text(paid.services, health)).body).decode()
    finally:
        await health.close()


async def test_a_service_that_is_down_is_seen_in_the_health(
    paid: Paid, state: StandinState
) -> None:
    """`unhealthy` and `degraded` within 30 s: it is asked every ten, and answers within three."""
    assert (await assessor_health(paid))[0] == "healthy"
    state.fail(HEALTH, Fault(status=503), times=None)
    assert await assessor_health(paid) == ("unhealthy", "degraded")
    assert lately.KEEP_SECONDS * 2 + 3 <= 30


async def test_a_service_whose_calls_all_fail_is_unhealthy_although_it_says_it_is_well(
    paid: Paid, state: StandinState
) -> None:
    assert paid.services.assessors.guard is not None
    paid.services.assessors.guard.rest_seconds = 600.0
    state.fail(ASSESS, Fault(status=500), times=None)
    ids = await paid.push([f"role {n}" for n in range(9)])
    await work_off(paid.services)
    assert (await paid.states(ids))["queued"] == 9, "given back; no attempt counts"
    assert (await assessor_health(paid))[0] == "unhealthy"
    assert (await paid.services.queue.counts(await paid.services.limits_now())).claimable == 0
    text = await metrics(paid)
    assert 'etter_assessor_closed{why="breaker"} 1.0' in text


async def test_money_and_calls_are_in_the_metrics(paid: Paid, state: StandinState) -> None:
    state.fail(ASSESS, Fault(status=400), role="bad")
    await paid.push(["good", "bad"])
    await work_off(paid.services)
    text = await metrics(paid)
    for line in (
        'etter_paid_calls{outcome="done"} 1.0',
        'etter_paid_calls{outcome="refused"} 1.0',
        "etter_assessment_cost_total 1.0",
        'etter_budget_spent{period="day"} 1.0',
        'etter_assessor_closed{why="budget"} 0.0',
    ):
        assert line in text, line
    assert "Acme" not in text


async def test_the_doctor_says_what_a_paid_call_would_meet(
    paid: Paid, paid_settings: Settings
) -> None:
    await paid.push(["one"])
    await work_off(paid.services)
    for budget, state in ((None, "ok"), (5.0, "ok"), (1.0, "warning")):
        settings = paid_settings.with_changes(budget_per_day=budget)
        checks = await asyncio.to_thread(check_services, settings, None, None)
        found = {check.name: check for check in checks}
        assert found["paid calls"].state == state, found["paid calls"]
        assert found["ETTER_WORKFLOW_API_BASE_URL"].state == "ok"


async def test_a_partition_run_that_cannot_pay_leaves_its_role_in_the_queue(
    paid: Paid, paid_settings: Settings
) -> None:
    """It is worked on when the budget is raised; the run says so for its partition."""
    ids = await paid.push(["one", "two"])
    await work_off(paid.services)
    role_ids = [push.role_id for push in (await paid.pushes(ids)).values()]
    spent = open_services(paid_settings.with_changes(budget_per_day=2.0))
    said = await work_roles(spent, role_ids, reporter=Recorder(), force_rerun=True)
    await spent.close()
    assert all("budget is spent" in (message or "") for message in said.values())
    active = await paid.services.queue.active(role_ids)
    assert {push.status.value for push in active.values()} == {"queued"}
    assert paid.state.count(ASSESS) == 2
