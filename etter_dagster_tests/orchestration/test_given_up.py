"""A push that is given up with its last worker: no run is left to show its role as failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import dagster as dg
import pytest

from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.push import Source, StepRecord, StepStatus
from etter_dagster.onboarding.accept import accept, retry
from etter_dagster.onboarding.roles import define_role
from etter_dagster.onboarding.services import Services
from etter_dagster.orchestration.agreeing import reconcile
from etter_dagster.orchestration.partitions import add_partitions
from etter_dagster.settings import Settings
from etter_dagster.stores.protocols import Claim
from etter_dagster_tests.orchestration.looking import ASSETS, failed, materialized
from etter_dagster_tests.orchestration.test_runs import run_roles, work
from etter_dagster_tests.support import JD, order

ROLE = role_id("Acme", "Analyst")
AT_ASSESSMENT = (
    StepRecord(name="role_setup", status=StepStatus.COMPLETED),
    StepRecord(name="ai_assessment", status=StepStatus.RUNNING),
    StepRecord(name="skills"),
)


@pytest.fixture
def fast(settings: Settings) -> Settings:
    return settings.with_changes(linger_seconds=0)


def lose_three_workers(
    settings: Settings, instance: dg.DagsterInstance, steps: tuple[StepRecord, ...] = ()
) -> str:
    """A push whose three leases lapse, the last at the last of these steps; its id."""
    run = dg.DagsterRun(job_name="onboard_roles", status=dg.DagsterRunStatus.FAILURE)
    instance.add_run(run)
    add_partitions(instance, [ROLE])

    async def act(services: Services) -> str:
        jd = DocumentRef(content=JD)  # as its first step, done by one of the lost, has linked it
        await define_role(
            services, "Acme", "Analyst", draup_role_name="Data Analyst", documents=[jd]
        )
        pushed = await accept(services, order())
        for attempt in range(3):
            while not (claims := await claim(services, f"worker-{attempt}")):
                await asyncio.sleep(0.01)  # until the lease before has lapsed
            if steps:
                await services.queue.progress(
                    pushed.workflow_id, claims[0].token, steps=steps, current_step="ai_assessment"
                )
        await asyncio.sleep(0.02)
        return pushed.workflow_id

    async def claim(services: Services, worker: str) -> Sequence[Claim]:
        return await services.queue.claim(
            worker, 1, limits=services.limits, lease_seconds=0.01, run_id=run.run_id
        )

    return work(settings, act)


def by_a_serving_run(settings: Settings, instance: dg.DagsterInstance) -> None:
    run_roles(settings, instance)


def by_reconcile(settings: Settings, instance: dg.DagsterInstance) -> None:
    async def act(services: Services) -> None:
        await services.queue.claim("other", 1, limits=services.limits, lease_seconds=30)
        await reconcile(services, instance)

    work(settings, act)


@pytest.mark.parametrize("found", [by_a_serving_run, by_reconcile])
def test_its_role_shows_as_failed_in_what_the_last_worker_was_at(
    fast: Settings,
    instance: dg.DagsterInstance,
    found: Callable[[Settings, dg.DagsterInstance], None],
) -> None:
    workflow_id = lose_three_workers(fast, instance, AT_ASSESSMENT)
    found(fast, instance)
    shown = {asset: failed(instance, asset) for asset in ASSETS}
    assert shown == {asset: {ROLE} if asset == "ai_assessment" else set() for asset in ASSETS}
    role = work(fast, lambda s: s.graph.role(ROLE))
    assert role is not None
    assert role.state is RoleStatus.FAILED
    work(fast, lambda s: retry(s, workflow_id, source=Source.REST))
    assert run_roles(fast, instance).success
    assert all(materialized(instance, asset) == {ROLE} for asset in ASSETS)
    assert not any(failed(instance, asset) for asset in ASSETS)


def test_one_that_no_worker_began_shows_as_failed_from_its_first_asset_on(
    fast: Settings, instance: dg.DagsterInstance
) -> None:
    lose_three_workers(fast, instance)
    by_a_serving_run(fast, instance)
    assert failed(instance, "company_role") == {ROLE}
