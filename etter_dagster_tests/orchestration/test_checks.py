"""`failed_roles` with its checks, reconciling, and pushing any roles by their ids."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import dagster as dg
import pytest

from etter_dagster.definitions import build_definitions
from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.identity import role_id
from etter_dagster.onboarding.accept import accept_many
from etter_dagster.onboarding.services import Services, open_services
from etter_dagster.orchestration.agreeing import find_disagreement, reconcile
from etter_dagster.orchestration.checks import FEWEST
from etter_dagster.settings import Settings
from etter_dagster_tests.orchestration.looking import events, materialized
from etter_dagster_tests.support import JD, order, work_off

T = TypeVar("T")
NO_TASKS = DocumentRef(content="# Nothing\n\nto assess here")


def work(settings: Settings, act: Callable[[Services], Awaitable[T]]) -> T:
    async def run() -> T:
        services = open_services(settings)
        try:
            return await act(services)
        finally:
            await services.close()

    return asyncio.run(run())


def job(
    settings: Settings,
    instance: dg.DagsterInstance,
    name: str,
    run_config: Mapping[str, Any] | None = None,
) -> dg.ExecuteInProcessResult:
    found = build_definitions(settings).resolve_job_def(name)
    return found.execute_in_process(instance=instance, run_config=run_config, raise_on_error=False)


def onboarded(settings: Settings, *names: str, bad: str = "") -> None:
    """Roles onboarded where Dagster hears nothing of them."""

    async def act(services: Services) -> None:
        orders = [
            order(name, documents=(NO_TASKS if name == bad else DocumentRef(content=JD),))
            for name in names
        ]
        await accept_many(services, orders)
        await work_off(services)

    work(settings, act)


def checks(settings: Settings, instance: dg.DagsterInstance) -> dict[str, bool]:
    result = job(settings, instance, "check_roles")
    return {e.check_name: e.passed for e in result.get_asset_check_evaluations()}


def table(event: dg.AssetMaterialization, name: str) -> list[Mapping[str, Any]]:
    value = event.metadata[name]
    assert isinstance(value, dg.TableMetadataValue)
    return [record.data for record in value.records]


def test_failed_roles_are_a_table_with_the_reason(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    onboarded(settings, "Analyst", "Bad", bad="Bad")
    result = job(settings, instance, "check_roles")
    (event,) = result.asset_materializations_for_node("failed_roles")
    (row,) = table(event, "failed_roles")
    assert (row["role"], row["company"], row["state"]) == ("Bad", "Acme", "failed")
    assert row["error"] == "ASSESSMENT_FAILED"
    assert row["message"]
    assert str(row["page"]).endswith(role_id("Acme", "Bad"))
    assert table(event, "by_error") == [{"error": "failed: ASSESSMENT_FAILED", "roles": 1}]


def test_an_empty_system_passes_every_check(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    assert checks(settings, instance) == {
        "ready_roles_are_assessed": True,
        "dagster_and_graph_agree": True,
        "few_pushes_fail": True,
    }


def test_what_dagster_has_not_heard_of_fails_a_check_until_it_is_reconciled(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    onboarded(settings, "Analyst", "Baker")
    assert not checks(settings, instance)["dagster_and_graph_agree"]
    found = work(settings, lambda services: reconcile(services, instance))
    assert (len(found.no_partition), len(found.not_materialized)) == (2, 2)
    assert materialized(instance, "ai_assessment") == {
        role_id("Acme", "Analyst"),
        role_id("Acme", "Baker"),
    }
    assert checks(settings, instance)["dagster_and_graph_agree"]
    again = work(settings, lambda services: reconcile(services, instance))
    assert again.count == 0
    assert len(events(instance, "ai_assessment")) == 2


def test_a_partition_that_the_graph_does_not_know_is_named_and_left(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    """It may belong to a graph that is being restored; its history is not ours to delete."""
    instance.add_dynamic_partitions("roles", ["cr-x-x-000000000000"])
    found = work(settings, lambda services: find_disagreement(services, instance))
    assert found.unknown_role == ("cr-x-x-000000000000",)
    assert found.to_report == ()


def test_a_ready_role_without_an_assessment_fails_a_check(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    onboarded(settings, "Analyst")
    with sqlite3.connect(settings.data_dir / "graph.db") as connection:
        connection.execute("UPDATE roles SET body = json_set(body, '$.current', json('null'))")
    assert not checks(settings, instance)["ready_roles_are_assessed"]


def test_many_failures_warn(settings: Settings, instance: dg.DagsterInstance) -> None:
    names = [f"Role {n}" for n in range(FEWEST)]
    onboarded(settings, *names, bad="Role 0")
    assert checks(settings, instance)["few_pushes_fail"], "one of twenty is the rate allowed"
    onboarded(settings, "Another", bad="Another")
    assert not checks(settings, instance)["few_pushes_fail"]


def test_the_role_assets_have_no_checks(settings: Settings) -> None:
    """Materializing one role from the UI would otherwise look at all of them."""
    definitions = build_definitions(settings)
    keys = definitions.resolve_all_asset_keys()
    assert dg.AssetKey("ai_assessment") in keys
    onboard = definitions.resolve_job_def("onboard_roles")
    assert {node.name for node in onboard.nodes} == {"onboard"}


@pytest.mark.parametrize("force", [False, True])
def test_any_roles_are_pushed_by_their_ids(
    settings: Settings, instance: dg.DagsterInstance, force: bool
) -> None:
    """Scattered partitions of a backfill would be a run each."""
    onboarded(settings, "Analyst", "Baker")
    ids = [role_id("Acme", "Analyst"), "cr-x-x-000000000000", f" {role_id('Acme', 'Baker')} "]
    config = {"role_ids": ids, "force_rerun": force}
    result = job(
        settings,
        instance,
        "push_known_roles",
        {"ops": {"queue_known_roles": {"config": config}}},
    )
    assert result.success
    (output,) = result.filter_events(lambda event: event.is_successful_output)
    shown = output.step_output_data.metadata
    assert shown["refused"].value == 1
    verdicts = shown["verdicts"]
    assert isinstance(verdicts, dg.TableMetadataValue)
    rows = [record.data for record in verdicts.records]
    assert [row["error"] for row in rows] == ["NOT_FOUND", "", ""]
    assert {row["status"] for row in rows[1:]} == {"queued" if force else "ready"}
    active = work(settings, lambda s: s.queue.active([role_id("Acme", "Analyst")]))
    lanes = {(push.lane.value, push.source.value) for push in active.values()}
    assert lanes == ({("bulk", "dagster")} if force else set())
