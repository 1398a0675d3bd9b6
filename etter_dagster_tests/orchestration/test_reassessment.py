"""`reassessment_plan` and its schedule, run as Dagster runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from etter_dagster.definitions import build_definitions
from etter_dagster.model.identity import role_id
from etter_dagster.model.push import Push
from etter_dagster.model.staleness import REMEDY
from etter_dagster.onboarding.services import open_services
from etter_dagster.orchestration.reassessment import build_reassessment_plan
from etter_dagster.settings import Settings
from etter_dagster_tests.support import make_one_of_two_stale

BAKER = role_id("Acme", "Baker")


@pytest.fixture
def stale(settings: Settings) -> Settings:
    """Two roles of which one is stale."""

    async def run() -> None:
        services = open_services(settings)
        try:
            await make_one_of_two_stale(services)
        finally:
            await services.close()

    asyncio.run(run())
    return settings


def active(settings: Settings) -> dict[str, Push]:
    async def look() -> dict[str, Push]:
        services = open_services(settings)
        try:
            return await services.queue.active([role_id("Acme", "Analyst"), BAKER])
        finally:
            await services.close()

    return asyncio.run(look())


def materialize(
    settings: Settings, instance: dg.DagsterInstance, run_config: Mapping[str, Any] | None = None
) -> Mapping[str, dg.MetadataValue[Any]]:
    job = build_definitions(settings).resolve_job_def("reassess_stale_roles")
    result = job.execute_in_process(instance=instance, run_config=run_config)
    (event,) = result.asset_materializations_for_node("reassessment_plan")
    return event.metadata


def test_materializing_by_hand_only_plans(stale: Settings, instance: dg.DagsterInstance) -> None:
    shown = materialize(stale, instance)
    assert (shown["stale_roles"].value, shown["to_push"].value) == (1, 1)
    table = shown["plan"]
    assert isinstance(table, dg.TableMetadataValue)
    (row,) = table.records
    assert (row.data["role"], row.data["company"], row.data["why"]) == ("Baker", "Acme", "inputs")
    assert str(row.data["reasons"]).startswith("jd_hash: ")
    assert row.data["remedy"] == REMEDY
    assert not active(stale)


def test_the_schedule_runs_by_default_and_pushes(
    stale: Settings, instance: dg.DagsterInstance
) -> None:
    repository = build_definitions(stale).get_repository_def()
    schedule = repository.get_schedule_def("nightly_reassessment")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    with dg.build_schedule_context(instance, repository_def=repository) as context:
        (request,) = schedule.evaluate_tick(context).run_requests or []
    shown = materialize(stale, instance, request.run_config)
    assert shown["pushed"].value == 1
    (push,) = active(stale).values()
    assert (push.role_id, push.source.value, push.lane.value) == (BAKER, "nightly", "background")


@pytest.mark.parametrize(
    "cron", ["0 2 * * *", "*/30 * * * *", "15 3 * * 1,4", "0 0 29 2 *", "0 0 ? * L5", "5 4 * * 5#2"]
)
def test_any_cron_gives_a_freshness_policy_that_dagster_takes(
    settings: Settings, cron: str
) -> None:
    """The policy's window may not be longer than the shortest time between two ticks."""
    changed = settings.with_changes(nightly_cron=cron, nightly_timezone="Europe/Berlin")
    dg.Definitions.validate_loadable(build_definitions(changed))


def test_a_night_without_a_plan_turns_the_plan_red(settings: Settings) -> None:
    """Nobody looks at a schedule that somebody turned off."""
    changed = settings.with_changes(nightly_cron="0 3 * * *", nightly_timezone="Europe/Berlin")
    (spec,) = build_reassessment_plan(changed).specs
    assert spec.freshness_policy == dg.FreshnessPolicy.cron(
        deadline_cron="0 3 * * *",
        lower_bound_delta=timedelta(days=1),
        timezone="Europe/Berlin",
    )
