"""Dagster's own staleness against ours: it must mark as unsynced what we call stale by inputs or
assessor, and nothing else. Age it cannot know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import dagster as dg
import pytest
from dagster._core.definitions.data_version import StaleStatus
from dagster._utils.test.data_versions import get_stale_status_resolver

from etter_dagster.definitions import build_definitions
from etter_dagster.model.assessment import AssessorInfo
from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.identity import role_id
from etter_dagster.onboarding.accept import accept_many
from etter_dagster.onboarding.nightly import push_plan, reassessment_plan
from etter_dagster.onboarding.roles import define_role
from etter_dagster.onboarding.rounds import Round
from etter_dagster.onboarding.services import Services, open_services
from etter_dagster.onboarding.stale import reasons_now
from etter_dagster.onboarding.step_registry import load_steps
from etter_dagster.onboarding.tick_time import TickTime
from etter_dagster.orchestration import input_events, source_sensors
from etter_dagster.orchestration.agreeing import reconcile
from etter_dagster.orchestration.assets import build_role_assets
from etter_dagster.orchestration.events import newest_event
from etter_dagster.orchestration.source_sensors import (
    document_tick,
    taxonomy_tick,
    told_tick,
)
from etter_dagster.settings import Settings
from etter_dagster_tests.support import JD, order, work_off
from etter_dagster_tests.world import World

NAMES = ("Analyst", "Baker", "Clerk")
ASSETS = ("company_role", "job_description", "ai_assessment", "skills_profile")


@dataclass
class Onboarded:
    """Three roles of a world, worked on by real runs."""

    settings: Settings
    instance: dg.DagsterInstance
    world: World

    round: Round = field(default_factory=Round)

    async def _with(self, act: str) -> object:
        services = open_services(self.settings)
        limit = TickTime(60, 60)
        try:
            if act == "tick":
                await taxonomy_tick(services, self.instance, Round(), limit)
            if act in ("tick", "documents"):
                await document_tick(services, self.instance, self.round, limit)
                self.round = Round.read(self.round.write())
            if act == "push":
                orders = [order(name, documents=(), draup_role_name=None) for name in NAMES]
                await accept_many(services, orders)
            elif act == "night":
                await push_plan(services, await reassessment_plan(services))
            elif act == "work":
                await work_off(services)
            elif act == "define":
                new = [DocumentRef(content=JD + "- Close the books\n")]
                await define_role(services, "Acme", "Analyst", documents=new)
                await define_role(services, "Acme", "Baker", draup_role_name="Pastry Cook")
                await define_role(services, "Acme", "Clerk", draup_role_name=" Data  Analyst")
            elif act == "tell":
                await told_tick(services, self.instance, self.round, limit)
            elif act == "reconcile":
                await reconcile(services, self.instance)
            return await stale_names(services)
        finally:
            await services.close()

    def do(self, act: str) -> None:
        asyncio.run(self._with(act))

    def ours(self) -> object:
        """Names of roles whose assessment we call stale."""
        return asyncio.run(self._with("look"))

    def events(self) -> int | None:
        return newest_event(self.instance)

    def serve(self) -> None:
        job = build_definitions(self.settings).resolve_job_def("onboard_roles")
        assert job.execute_in_process(instance=self.instance).success

    def unsynced(self, assessor: AssessorInfo | None = None) -> set[str]:
        """Names of roles of which Dagster shows an asset as unsynced."""
        services = open_services(self.settings)
        assessor = assessor or services.assessors.configured.info
        assets = build_role_assets(self.settings, load_steps(self.settings), assessor)
        resolver = get_stale_status_resolver(self.instance, [assets])
        statuses = {
            (name, asset): resolver.get_status(dg.AssetKey(asset), role_id("Acme", name))
            for name in NAMES
            for asset in ASSETS
        }
        assert StaleStatus.MISSING not in statuses.values()
        wrong = {asset for (_, asset), status in statuses.items() if status is StaleStatus.STALE}
        assert wrong <= {"ai_assessment"}, "what is as it was made is not out of sync"
        return {name for (name, _), status in statuses.items() if status is StaleStatus.STALE}


async def stale_names(services: Services) -> set[str]:
    return {r.role_name for r in await services.graph.roles() if reasons_now(services, r)}


@pytest.fixture
def onboarded(settings: Settings, instance: dg.DagsterInstance) -> Iterator[Onboarded]:
    with World().registered() as world:
        for name in NAMES:
            world.put("Acme", name)
            world.write("Acme", name, JD)
        found = Onboarded(settings.with_changes(linger_seconds=0), instance, world)
        found.do("tick")
        found.do("push")
        yield found


def test_dagster_and_we_agree_on_what_is_stale(onboarded: Onboarded) -> None:
    onboarded.serve()
    assert (onboarded.ours(), onboarded.unsynced()) == (set(), set())
    onboarded.world.write("Acme", "Analyst", JD + "- Close the books\n")
    onboarded.world.put("Acme", "Baker", "Pastry Cook")
    onboarded.do("tick")
    assert onboarded.ours() == {"Analyst", "Baker"}
    assert onboarded.unsynced() == {"Analyst", "Baker"}
    onboarded.do("night")
    onboarded.serve()
    assert (onboarded.ours(), onboarded.unsynced()) == (set(), set())


def test_what_rest_changes_is_out_of_sync_too(onboarded: Onboarded) -> None:
    """`PUT /roles` and uploads; Dagster never heard of them, with or without a source."""
    onboarded.serve()
    onboarded.do("define")
    assert onboarded.ours() == {"Analyst", "Baker"}
    onboarded.do("tell")
    assert onboarded.unsynced() == {"Analyst", "Baker"}
    events = onboarded.events()
    onboarded.do("tell")
    assert onboarded.events() == events, "once"
    onboarded.do("night")
    onboarded.serve()
    assert (onboarded.ours(), onboarded.unsynced()) == (set(), set())


def test_what_one_tick_has_no_time_to_tell_later_ones_tell(
    onboarded: Onboarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the first 500 changed roles of a tick, Dagster never heard of any."""
    onboarded.serve()
    for name in NAMES:
        onboarded.world.write("Acme", name, JD + "- Close the books\n")
    with monkeypatch.context() as patch:
        patch.setattr(source_sensors, "TELL_SECONDS", -60.0)
        onboarded.do("tick")
    assert onboarded.ours() == set(NAMES)
    assert len(onboarded.unsynced()) == 1, "one in any case, or many changes would be told never"
    monkeypatch.setattr(input_events, "_PAGE", 1)
    monkeypatch.setattr(input_events, "_COMPARED", 1)
    seen = []
    for _ in NAMES:
        onboarded.do("documents")
        seen.append(len(onboarded.unsynced()))
    assert seen == [1, 2, 3], "bounded, and from where the last one ended"
    events = onboarded.events()
    onboarded.do("documents")
    onboarded.do("documents")
    assert onboarded.events() == events, "nobody is told twice"


def test_another_assessor_makes_every_assessment_unsynced(onboarded: Onboarded) -> None:
    onboarded.serve()
    other = AssessorInfo(name="llm", model="m", version="1")
    assert onboarded.unsynced(other) == set(NAMES)


def test_what_reconcile_reports_is_in_sync_exactly_where_it_is_not_stale(
    onboarded: Onboarded,
) -> None:
    """Dagster heard of nothing meanwhile: neither of the assessments nor of the change."""
    onboarded.do("work")
    onboarded.world.write("Acme", "Clerk", JD + "- File more\n")
    onboarded.do("tick")
    onboarded.do("reconcile")
    assert onboarded.ours() == {"Clerk"}
    services = open_services(onboarded.settings)
    assets = build_role_assets(
        onboarded.settings, load_steps(onboarded.settings), services.assessors.configured.info
    )
    resolver = get_stale_status_resolver(onboarded.instance, [assets])
    statuses = {
        name: resolver.get_status(dg.AssetKey("ai_assessment"), role_id("Acme", name))
        for name in NAMES
    }
    assert statuses == {
        "Analyst": StaleStatus.FRESH,
        "Baker": StaleStatus.FRESH,
        "Clerk": StaleStatus.STALE,
    }
