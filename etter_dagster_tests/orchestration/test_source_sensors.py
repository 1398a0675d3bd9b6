"""The sensors of the sources, evaluated as the daemon does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import SourceUnavailable
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.role import Role
from etter_dagster.onboarding.accept import accept_many
from etter_dagster.onboarding.roles import define_role
from etter_dagster.onboarding.services import open_services
from etter_dagster.orchestration.source_sensors import (
    build_document_sensor,
    build_taxonomy_sensor,
)
from etter_dagster.settings import Settings
from etter_dagster_tests.support import JD, order, work_off
from etter_dagster_tests.world import World

RID = role_id("Acme", "Analyst")


@pytest.fixture
def world() -> Iterator[World]:
    with World().registered() as world:
        world.put("Acme", "Analyst")
        world.put("Other", "Clerk")
        world.write("Acme", "Analyst", JD)
        yield world


class Ticks:
    """Ticks of both sensors, each with the cursor that its last one left."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.sensors = {
            "taxonomy": build_taxonomy_sensor(settings),
            "documents": build_document_sensor(settings),
        }
        self.cursors: dict[str, str | None] = {}
        self.instance = instance

    def __call__(self, which: str) -> str:
        context = dg.build_sensor_context(self.instance, cursor=self.cursors.get(which))
        said = self.sensors[which](context)
        assert isinstance(said, dg.SkipReason)
        self.cursors[which] = context.cursor
        return said.skip_message or ""


@pytest.fixture
def tick(settings: Settings, instance: dg.DagsterInstance) -> Ticks:
    return Ticks(settings, instance)


def roles_of(settings: Settings) -> dict[str, Role]:
    async def read() -> dict[str, Role]:
        services = open_services(settings)
        try:
            return {role.role_name: role for role in await services.graph.roles()}
        finally:
            await services.close()

    return asyncio.run(read())


def serve(settings: Settings) -> None:
    async def run() -> None:
        services = open_services(settings)
        try:
            await work_off(services)
        finally:
            await services.close()

    asyncio.run(run())


def test_without_a_source_the_sensors_say_what_to_set(tick: Ticks) -> None:
    assert "ETTER_TAXONOMY_API_BASE_URL" in tick("taxonomy")
    assert "ETTER_DOCUMENTS_DIR" in tick("documents")


def test_without_a_source_dagster_hears_of_what_people_change(
    settings: Settings, instance: dg.DagsterInstance, tick: Ticks
) -> None:
    """A JD put by REST showed as in sync with the assessment of the one before it."""
    jd = dg.AssetKey("job_description")
    asyncio.run(onboard_then_change(settings, JD, JD + "- Close the books\n"))
    assert roles_of(settings)["Analyst"].state is RoleStatus.STALE
    said = tick("documents")
    assert "ETTER_DOCUMENTS_DIR" in said
    assert "told of the changed inputs of 1 role" in said
    assert instance.get_latest_data_version_record(jd, partition_key=RID) is not None
    assert "told" not in tick("documents")


async def onboard_then_change(settings: Settings, before: str, after: str) -> None:
    services = open_services(settings)
    try:
        for text in (before, after):
            jd = DocumentRef(type=DocumentType.JOB_DESCRIPTION, content=text)
            await define_role(
                services, "Acme", "Analyst", draup_role_name="Data Analyst", documents=[jd]
            )
            if text is before:
                await accept_many(services, [order("Analyst", documents=(), draup_role_name=None)])
                await work_off(services)
    finally:
        await services.close()


def test_the_samples_alone_are_no_source_to_watch(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    """The first minute's roles wait for a person to push them."""
    tick = Ticks(settings.with_changes(enable_mock_data=True), instance)
    assert "ETTER_TAXONOMY_API_BASE_URL" in tick("taxonomy")


def test_new_entries_get_partitions_and_are_pushed_when_their_document_is_known(
    settings: Settings, instance: dg.DagsterInstance, world: World, tick: Ticks
) -> None:
    assert "2 new" in tick("taxonomy")
    assert set(instance.get_dynamic_partitions("roles")) == {RID, role_id("Other", "Clerk")}
    assert "1 document:" in tick("documents")
    said = tick("taxonomy")
    assert "1 new role pushed" in said
    assert "1 wait for a Draup role or a job description" in said
    serve(settings)
    roles = roles_of(settings)
    assert (roles["Analyst"].state, roles["Clerk"].state) == (RoleStatus.READY, RoleStatus.DRAFT)
    assert "0 new roles pushed" in tick("taxonomy")


def test_pushing_can_be_switched_off(
    settings: Settings, instance: dg.DagsterInstance, world: World
) -> None:
    tick = Ticks(settings.with_changes(push_new_taxonomy_roles=False), instance)
    tick("taxonomy")
    tick("documents")
    assert "ETTER_PUSH_NEW_TAXONOMY_ROLES is off" in tick("taxonomy")
    assert roles_of(settings)["Analyst"].state is RoleStatus.DRAFT


def onboarded(settings: Settings, tick: Ticks) -> None:
    for which in ("taxonomy", "documents", "taxonomy"):
        tick(which)
    serve(settings)


def test_dagster_hears_of_a_changed_document(
    settings: Settings, instance: dg.DagsterInstance, world: World, tick: Ticks
) -> None:
    onboarded(settings, tick)
    world.write("Acme", "Analyst", JD + "- Close the books\n")
    assert "1 fetched, 1 role with another text, 1 stale" in tick("documents")
    assert roles_of(settings)["Analyst"].state is RoleStatus.STALE
    record = instance.get_latest_data_version_record(
        dg.AssetKey("job_description"), partition_key=RID
    )
    assert record is not None


@pytest.mark.parametrize(
    "failing",
    ["get_companies", "get_roles_for_company", "companies_with_documents", "list_documents"],
)
def test_an_outage_changes_nothing_says_why_and_is_caught_up(
    settings: Settings, world: World, tick: Ticks, failing: str
) -> None:
    onboarded(settings, tick)
    before = roles_of(settings)
    world.put("Acme", "Analyst", "Business Analyst")
    world.write("Acme", "Analyst", JD + "- Close the books\n")
    del world.entries["Other"]["Clerk"]
    world.failures[failing] = SourceUnavailable("the source is away", retry_after=0)
    which = "documents" if "documents" in failing else "taxonomy"
    assert "the source is away" in tick(which)
    assert roles_of(settings) == before
    world.failures.clear()
    tick(which)
    assert roles_of(settings) != before


def test_a_pause_that_is_asked_for_is_kept(settings: Settings, world: World, tick: Ticks) -> None:
    world.failures["get_companies"] = SourceUnavailable("slow down", retry_after=3600)
    assert "slow down" in tick("taxonomy")
    world.failures.clear()
    asked = world.calls["get_companies"]
    assert "slow down; not asked for another" in tick("taxonomy")
    assert world.calls["get_companies"] == asked
    tick.cursors.clear()
    assert "2 new" in tick("taxonomy"), "resetting the cursor asks at once"


def test_one_company_that_cannot_be_read_stops_no_other(
    settings: Settings, world: World, tick: Ticks
) -> None:
    world.failures["get_roles_for_company:Acme"] = SourceUnavailable("401: no access")
    said = tick("taxonomy")
    assert "1 new" in said
    assert "Acme: 401: no access" in said
    assert set(roles_of(settings)) == {"Clerk"}


def test_a_company_that_the_taxonomy_lists_no_more_has_its_roles_marked(
    settings: Settings, world: World, tick: Ticks
) -> None:
    tick("taxonomy")
    del world.entries["Other"]
    assert "1 removed" in tick("taxonomy")
    entry = roles_of(settings)["Clerk"].taxonomy
    assert entry is not None
    assert entry.status == "removed"


def test_a_tick_says_that_it_removes_nothing_of_a_list_with_an_entry_twice(
    settings: Settings, world: World, tick: Ticks
) -> None:
    """Through all sources as one, which once hid what a source lists twice."""
    tick("taxonomy")
    world.put("Acme", "Baker")
    tick("taxonomy")
    del world.entries["Acme"]["Baker"]
    world.entries["Acme"]["Analyst again"] = world.entries["Acme"]["Analyst"]
    assert "not listed, and not marked as removed: 1 role;" in tick("taxonomy")
    entry = roles_of(settings)["Baker"].taxonomy
    assert entry is not None
    assert entry.status == "active"


def test_a_taxonomy_that_lists_no_company_at_all_removes_nothing(
    settings: Settings, world: World, tick: Ticks
) -> None:
    """More likely a mistake than a truth."""
    tick("taxonomy")
    world.entries.clear()
    assert "nothing was changed" in tick("taxonomy")
    entry = roles_of(settings)["Clerk"].taxonomy
    assert entry is not None
    assert entry.status == "active"


def test_a_folder_of_documents_is_watched(
    settings: Settings, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """No registered source at all: what a laptop has."""
    folder = tmp_path / "documents" / "Acme" / "Analyst"
    folder.mkdir(parents=True)
    (folder / "job_description.md").write_text(JD)
    tick = Ticks(settings.with_changes(documents_dir=tmp_path / "documents"), instance)
    assert "0 fetched" in tick("documents")
