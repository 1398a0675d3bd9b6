"""A mock push beside a paid assessment tries something; the role stays as it was paid for."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.assessors.registry import Assessors
from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.push import MAX_LEASES
from etter_dagster.model.role import Role
from etter_dagster.onboarding.accept import accept
from etter_dagster.onboarding.archive import archive
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import find_push
from etter_dagster_tests.paid.conftest import Paid
from etter_dagster_tests.standin.state import ASSESS, StandinState
from etter_dagster_tests.support import JD, Recorder, ScriptedAssessor, order, work_off


async def paid_role(paid: Paid) -> Role:
    """A ready role whose assessment was paid."""
    accepted = await accept(paid.services, order())
    await work_off(paid.services)
    return await now(paid.services, accepted.role_id)


async def now(services: Services, role_id: str) -> Role:
    role = await services.graph.role(role_id)
    assert role is not None
    return role


def failing_mock(services: Services) -> Services:
    mock = ScriptedAssessor(script=[AssessmentFailed("no tasks in it")])
    assessors = Assessors(services.assessors.configured, mock, services.assessors.guard)
    return replace(services, assessors=assessors)


async def test_a_mock_leaves_the_push_that_made_the_role_ready(
    paid: Paid, state: StandinState
) -> None:
    role = await paid_role(paid)
    mock = await accept(paid.services, order(use_mock=True))
    assert mock.workflow_id != role.workflow_id
    recorder = Recorder()
    await work_off(paid.services, recorder)
    ended = await find_push(paid.services, mock.workflow_id)
    assert ended is not None
    assert ended.status.value == "ready"
    assert ended.ai_automation_score is not None, "what it found stands on it"
    after = await now(paid.services, role.role_id)
    assert (after.workflow_id, after.state, after.current) == (
        role.workflow_id,
        RoleStatus.READY,
        role.current,
    )
    again = await accept(paid.services, order())
    assert (again.workflow_id, again.status.value) == (role.workflow_id, "ready")
    assert "ai_assessment" not in {event.asset for event in recorder.made}, (
        "Dagster goes on showing the one that was paid"
    )
    assert len(await paid.services.graph.assessments(role.role_id)) == 2
    assert state.count(ASSESS) == 1


async def test_a_mock_that_fails_leaves_a_paid_role_ready(paid: Paid) -> None:
    role = await paid_role(paid)
    services = failing_mock(paid.services)
    mock = await accept(services, order(use_mock=True))
    recorder = Recorder()
    await work_off(services, recorder)
    ended = await find_push(services, mock.workflow_id)
    assert ended is not None
    assert ended.status.value == "failed"
    after = await now(services, role.role_id)
    assert (after.state, after.workflow_id) == (RoleStatus.READY, role.workflow_id)
    assert recorder.not_made == [], "nothing of the role has failed"


async def test_a_mock_makes_a_stale_role_no_fresher(paid: Paid) -> None:
    """Only the configured assessor can: the paid assessment is still of the older text."""
    role = await paid_role(paid)
    changed = (DocumentRef(content=f"{JD}- Plan budgets\n"),)
    await accept(paid.services, order(documents=changed))
    (push,) = (await paid.services.queue.active([role.role_id])).values()
    await paid.services.queue.cancel(push.workflow_id, now=paid.services.clock())
    assert (await now(paid.services, role.role_id)).state is RoleStatus.STALE
    await accept(paid.services, order(documents=changed, use_mock=True))
    await work_off(paid.services)
    after = await now(paid.services, role.role_id)
    assert (after.state, after.workflow_id) == (RoleStatus.STALE, role.workflow_id)
    assert [reason.field for reason in after.stale_marks] == ["jd_hash"]


async def test_a_mock_whose_workers_all_die_leaves_a_paid_role_ready(paid: Paid) -> None:
    role = await paid_role(paid)
    mock = await accept(paid.services, order(use_mock=True))
    limits = await paid.services.limits_now()
    for _ in range(MAX_LEASES):
        while not await paid.services.queue.claim("dying", 1, limits=limits, lease_seconds=0.01):
            await asyncio.sleep(0.01)
    while not await archive(paid.services):
        await paid.services.queue.claim("other", 1, limits=limits, lease_seconds=0.01)
    ended = await find_push(paid.services, mock.workflow_id)
    assert ended is not None
    assert ended.status.value == "failed"
    after = await now(paid.services, role.role_id)
    assert (after.state, after.workflow_id) == (RoleStatus.READY, role.workflow_id)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_role_with_no_paid_assessment_is_the_mock_s_to_settle(
    paid: Paid, fails: bool
) -> None:
    services = failing_mock(paid.services) if fails else paid.services
    mock = await accept(services, order(use_mock=True))
    await work_off(services)
    after = await now(services, mock.role_id)
    assert after.workflow_id == mock.workflow_id
    assert after.state is (RoleStatus.FAILED if fails else RoleStatus.READY)
