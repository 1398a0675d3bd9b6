"""The nightly plan over real stores: exactly the stale roles, once a day."""

from __future__ import annotations

from dataclasses import replace

from etter_dagster.assessors.registry import Assessors
from etter_dagster.model.assessment import AssessorInfo
from etter_dagster.model.errors import TransientError
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.reassessment import Verdict
from etter_dagster.onboarding.accept import accept, accept_many
from etter_dagster.onboarding.nightly import Nightly, push_plan, reassessment_plan
from etter_dagster.onboarding.services import Services
from etter_dagster.settings import Settings
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.support import (
    ScriptedAssessor,
    change_jd,
    order,
    scripted_services,
    work_off,
)

NAMES = ["Analyst", "Baker", "Clerk", "Driver"]


async def assessed(settings: Settings, clock: Clock, **assessor: object) -> Services:
    """Four ready roles."""
    scripted = ScriptedAssessor(**assessor)  # type: ignore[arg-type]
    services = scripted_services(settings, scripted, clock=clock)
    await accept_many(services, [order(name) for name in NAMES])
    await work_off(services)
    return services


async def night(services: Services) -> Nightly:
    return await push_plan(services, await reassessment_plan(services))


def later_version(services: Services) -> Services:
    info = AssessorInfo(name="exposure", model="scripted", version="2")
    changed = ScriptedAssessor(info=info)
    return replace(services, assessors=Assessors(configured=changed, mock=changed))


async def test_exactly_the_stale_ones_are_assessed_again(settings: Settings, clock: Clock) -> None:
    services = await assessed(settings, clock)
    assert not (await reassessment_plan(services)).roles
    await change_jd(services, "Baker")
    await services.graph.put_role("Acme", "Driver", draup_role_name="Other")
    clock.tick(60)
    done = await night(services)
    assert sorted(r.role_name for r in done.plan.pushes) == ["Baker", "Driver"]
    assert (done.pushed, done.refused) == (2, {})
    active = await services.queue.active([role_id("Acme", name) for name in NAMES])
    assert {(p.source.value, p.lane.value) for p in active.values()} == {("nightly", "background")}
    await work_off(services)
    assert not (await reassessment_plan(services)).roles
    assert isinstance(services.assessors.configured, ScriptedAssessor)
    assert services.assessors.configured.calls == {
        "Analyst": 1,
        "Baker": 2,
        "Clerk": 1,
        "Driver": 2,
    }
    await services.close()


async def test_making_the_plan_changes_nothing(settings: Settings, clock: Clock) -> None:
    """By hand at noon, it must be the plan of the night."""
    services = await assessed(settings, clock)
    await change_jd(services, "Baker")
    before = await services.graph.roles()
    assert await reassessment_plan(services) == await reassessment_plan(services)
    assert await services.graph.roles() == before
    assert not await services.queue.active([role.role_id for role in before])
    await services.close()


async def test_two_runs_on_one_day_push_nothing_twice(settings: Settings, clock: Clock) -> None:
    services = await assessed(settings, clock)
    assert isinstance(services.assessors.configured, ScriptedAssessor)
    await change_jd(services, "Baker")
    first = await reassessment_plan(services)
    assert (await push_plan(services, first)).pushed == 1
    assert (await reassessment_plan(services)).verdicts == {Verdict.IN_WORK.value: 1}
    # A run that made its plan before: the same push, not a second one.
    assert (await push_plan(services, first)).pushed == 1
    services.assessors.configured.script = [TransientError("away")] * 5
    await work_off(services)
    clock.tick(3600)
    again = await reassessment_plan(services)
    assert again.verdicts == {Verdict.PUSHED_TODAY.value: 1}, "it failed, and is not tried again"
    await change_jd(services, "Clerk")
    assert [r.role_name for r in (await night(services)).plan.pushes] == ["Clerk"]
    await work_off(services)
    clock.tick(24 * 3600)
    assert [r.role_name for r in (await night(services)).plan.pushes] == ["Baker"]
    await work_off(services)
    role = await services.graph.role(role_id("Acme", "Baker"))
    assert role is not None
    assert role.state is RoleStatus.READY
    await services.close()


async def test_what_is_too_old_is_really_assessed_anew(settings: Settings, clock: Clock) -> None:
    services = await assessed(settings, clock)
    clock.tick(31 * 24 * 3600)
    done = await night(services)
    assert done.pushed == 4
    await work_off(services)
    assert isinstance(services.assessors.configured, ScriptedAssessor)
    assert set(services.assessors.configured.calls.values()) == {2}
    assert not (await reassessment_plan(services)).roles
    await services.close()


async def test_a_changed_assessor_rolls_out_a_part_a_night(
    settings: Settings, clock: Clock
) -> None:
    settings = settings.with_changes(assessor_rollout_percent=50)
    services = later_version(await assessed(settings, clock))
    assert (await night(services)).pushed == 2
    await work_off(services)
    assert (await night(services)).pushed == 0, "the same day, not another half"
    clock.tick(24 * 3600)
    assert (await night(services)).pushed == 2
    await work_off(services)
    assert not (await reassessment_plan(services)).roles
    await services.close()


async def test_a_budget_does_not_cut_what_costs_nothing(settings: Settings, clock: Clock) -> None:
    """The built-in assessor is free, whatever cost and budget are left over from a paid one."""
    settings = settings.with_changes(cost_per_assessment=2, budget_per_day=5)
    services = await assessed(settings, clock)
    for name in NAMES:
        await change_jd(services, name)
    plan = await reassessment_plan(services)
    assert (plan.cost, plan.budget_left) == (0, None)
    assert plan.verdicts == {Verdict.PUSH.value: 4}
    await services.close()


async def test_a_person_who_pushes_meanwhile_goes_first(settings: Settings, clock: Clock) -> None:
    services = await assessed(settings, clock)
    await change_jd(services, "Baker")
    plan = await reassessment_plan(services)
    await accept(services, order("Baker", documents=()))
    done = await push_plan(services, plan)
    assert (done.pushed, done.refused) == (0, {"somebody else pushed it meanwhile": 1})
    await services.close()
