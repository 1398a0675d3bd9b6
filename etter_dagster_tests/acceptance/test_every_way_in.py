"""The same role pushed in every way there is: the records that come of it are the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import httpx
import pytest
from typer.testing import CliRunner

from etter_dagster.api import create_app
from etter_dagster.api.app import PREFIX
from etter_dagster.api.runtime import use_settings
from etter_dagster.cli.app import app as cli
from etter_dagster.definitions import build_definitions
from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.identity import role_id
from etter_dagster.onboarding.accept import accept
from etter_dagster.onboarding.archive import archive
from etter_dagster.onboarding.role_setup import linked_documents
from etter_dagster.onboarding.roles import define_role
from etter_dagster.onboarding.rounds import Round
from etter_dagster.onboarding.services import Services, open_services
from etter_dagster.onboarding.tick_time import TickTime
from etter_dagster.orchestration.partitions import add_partitions
from etter_dagster.orchestration.source_sensors import taxonomy_tick
from etter_dagster.settings import Settings
from etter_dagster_tests.orchestration.looking import ASSETS, events
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.support import JD, order, work_off
from etter_dagster_tests.world import World

T = TypeVar("T")
COMPANY, DRAUP = "Acme", "Data Analyst"
OLD_JD = "# Analyst\n\n## Key Responsibilities\n- Answer the telephone\n"
LANES = {
    "nightly": "background",  # first: it works off what is queued, unseen by Dagster
    "rest": "interactive",
    "cli": "interactive",
    "graphql": "interactive",
    "taxonomy": "bulk",
    "dagster": "interactive",
}


class Ways:
    """All ways in, over one pair of stores and one Dagster instance."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance, folder: Path) -> None:
        self.settings = settings
        self.instance = instance
        self.folder = folder
        self.definitions = build_definitions(settings)

    def work(self, act: Callable[[Services], Awaitable[T]]) -> T:
        async def run() -> T:
            services = open_services(self.settings)
            try:
                return await act(services)
            finally:
                await services.close()

        return asyncio.run(run())

    def job(self, name: str, config: dict[str, Any] | None = None, key: str | None = None) -> None:
        job = self.definitions.resolve_job_def(name)
        result = job.execute_in_process(
            instance=self.instance, run_config=config, partition_key=key, tags={"user": "somebody"}
        )
        assert result.success

    def rest(self, name: str) -> None:
        with self._service() as url:
            document = {"type": "job_description", "content": JD}
            body = {
                "company_id": COMPANY,
                "role_name": name,
                "draup_role_name": DRAUP,
                "documents": [document],
            }
            answer = httpx.post(f"{url}{PREFIX}/push", json=body, timeout=60)
            assert answer.status_code == 200, answer.text

    def cli(self, name: str) -> None:
        file = self.folder / "jd.md"
        file.write_text(JD)
        with self._service() as url:
            words = ["push", COMPANY, name, "--document", str(file), "--draup-role", DRAUP]
            ran = CliRunner().invoke(cli, [*words, "--url", url])
        assert ran.exit_code == 0, ran.output

    def graphql(self, name: str) -> None:
        push = {
            "company_id": COMPANY,
            "role_name": name,
            "draup_role_name": DRAUP,
            "documents": [{"type": "job_description", "content": JD}],
        }
        config = {"pushes": [push], "idempotency_key": "k", "api_key_id": "platform"}
        self.job("push_roles", {"ops": {"queue_pushes": {"config": config}}})

    def taxonomy(self, name: str) -> None:
        with World().registered() as world:
            world.put(COMPANY, name, DRAUP, general_summary=JD)

            async def tick(services: Services) -> str:
                return await taxonomy_tick(services, self.instance, Round(), TickTime(60, 60))

            assert "1 new role pushed" in self.work(tick)

    def nightly(self, name: str) -> None:
        """A role whose job description has changed since it was assessed."""

        async def stale(services: Services) -> None:
            old = (DocumentRef(content=OLD_JD),)
            await accept(services, order(name, COMPANY, documents=old, draup_role_name=DRAUP))
            await work_off(services)
            new = linked_documents([DocumentRef(content=JD)], services.clock())
            await services.graph.link_documents(role_id(COMPANY, name), new)

        self.work(stale)
        config = {"ops": {"reassessment_plan": {"config": {"push": True}}}}
        self.job("reassess_stale_roles", config)

    def dagster(self, name: str) -> None:
        """Materializing the role's partition; it works the role itself."""

        async def define(services: Services) -> None:
            documents = (DocumentRef(content=JD),)
            await define_role(services, COMPANY, name, draup_role_name=DRAUP, documents=documents)

        self.work(define)
        key = role_id(COMPANY, name)
        add_partitions(self.instance, [key])
        self.job("onboard_roles", key=key)

    def _service(self) -> Any:
        rest = create_app(self.settings)
        use_settings(rest, self.settings)
        return serving(rest)


@pytest.fixture
def ways(settings: Settings, instance: dg.DagsterInstance, tmp_path: Path) -> Ways:
    return Ways(settings.with_changes(linger_seconds=0), instance, tmp_path)


async def records(services: Services, name: str) -> dict[str, Any]:
    """Everything that was written about a role, less what names it or tells the time."""
    while await archive(services):
        pass
    rid = role_id(COMPANY, name)
    role = await services.graph.role(rid)
    push = await services.graph.newest_push(rid)
    assessment = await services.graph.current_assessment(rid)
    assert role is not None
    assert role.current is not None
    assert push is not None
    assert assessment is not None
    assert role.workflow_id == push.workflow_id == assessment.workflow_id
    return {
        "role": (role.state, role.draup_role_name, role.jd_hash, role.documents_hash),
        "current": (role.current.final_score, role.current.basis.assessor, role.stale_marks),
        "documents": [(d.type, d.content_hash) for d in await services.graph.documents(rid)],
        "push": (push.status, push.attempts, push.error, push.ai_automation_score, push.assessor),
        "steps": [(step.name, step.status, step.error_message) for step in push.steps],
        "assessment": (assessment.scores, assessment.tasks),
        "inputs": assessment.inputs.model_dump(exclude={"role_id"}),
        "versions": (assessment.assessor, assessment.code_version),
        "has_run": assessment.run_id is not None,
        "skills": await services.graph.skills(rid),
    }


def shown(instance: dg.DagsterInstance, name: str) -> dict[str, Any]:
    """What Dagster shows of a role: which metadata and tags its newest materializations have."""
    found = {}
    for asset in ASSETS:
        newest = next(e for e in events(instance, asset) if e.partition == role_id(COMPANY, name))
        tags = newest.tags or {}
        found[asset] = (
            sorted(newest.metadata),
            sorted(tags),
            tags.get("dagster/code_version"),
        )
    return found


def test_every_way_in_ends_in_the_same_records(ways: Ways) -> None:
    """Who asked and in which lane may differ; what is known of the role afterwards may not."""
    names = {source: f"Analyst by {source}" for source in LANES}
    for source, name in names.items():
        getattr(ways, source)(name)
    ways.job("onboard_roles")  # one serving run for all that was queued
    first = ways.work(lambda services: records(services, names["rest"]))
    assert first["role"][0].value == "ready"
    for source, name in names.items():
        found = ways.work(partial(records, name=name))
        assert found == first, source
        assert shown(ways.instance, name).keys() == set(ASSETS), source

    async def pushes(services: Services) -> dict[str, tuple[str, str]]:
        newest = {
            source: await services.graph.newest_push(role_id(COMPANY, name))
            for source, name in names.items()
        }
        return {s: (p.source.value, p.lane.value) for s, p in newest.items() if p is not None}

    assert ways.work(pushes) == {source: (source, lane) for source, lane in LANES.items()}
    one = shown(ways.instance, names["rest"])
    for source, name in names.items():
        for asset, (metadata, tags, version) in shown(ways.instance, name).items():
            assert (tags, version) == one[asset][1:], (source, asset)
            more = {"changed_since_last_md", "changed_tasks"}  # it was assessed before
            assert set(metadata) - more == set(one[asset][0]), (source, asset)
