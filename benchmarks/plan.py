"""The nightly plan and a tick of each source sensor over 100,000 roles of 5 companies.

Run: `python -m benchmarks.plan [ROLES] [--neo4j]`. Prints the table for `docs/performance.md`. Each
part runs in a process of its own, so that its memory is its own. Neo4j is started from the jars
that `make test-servers` fetches.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from etter_dagster.cli.engine import configure_dagster
from etter_dagster.model.assessment import Assessment, AssessorInfo, Scores
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.role import CurrentAssessment, Role
from etter_dagster.model.staleness import basis_of
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.onboarding.collecting import rare_collections
from etter_dagster.onboarding.nightly import reassessment_plan
from etter_dagster.onboarding.rounds import Round
from etter_dagster.onboarding.services import Services, open_services
from etter_dagster.onboarding.tick_time import TickTime
from etter_dagster.orchestration.source_sensors import (
    LOOK_SECONDS,
    TICK_SECONDS,
    Tick,
    document_tick,
    taxonomy_tick,
)
from etter_dagster.settings import Settings
from etter_dagster.sources.protocols import DocumentListing
from etter_dagster_tests.servers.neo4j import Neo4jServer, missing

COMPANIES = [f"Company {n}" for n in range(5)]
JD = "# Clerk\n\n## Key Responsibilities\n- File invoices\n"
CHANGED_EVERY = 1000  # one in so many has another document and mapping
# Nobody is asked: the plan only looks for what this assessor has made before.
PAID = {"assessor": "workflow_api", "workflow_api_base_url": "http://127.0.0.1:9"}
WAITING = "for the next tick"  # in what a tick says that had no time for all
Given = dict[str, Any]  # settings, which each process makes for itself


class Sources:
    """A taxonomy and documents that answer at once, so that only our own time is measured."""

    def __init__(self, roles: int) -> None:
        self.roles = roles // len(COMPANIES)
        self.version = "1"

    def get_companies(self) -> list[str]:
        """All five."""
        return COMPANIES

    def get_roles_for_company(
        self, company_name: str, status_filter: str | None = None
    ) -> list[TaxonomyEntry]:
        """All of a company."""
        return [self._entry(company_name, n) for n in range(self.roles)]

    def get_role(self, company_name: str, role_name: str) -> TaxonomyEntry | None:
        """Not asked."""
        return None

    def companies_with_documents(self) -> list[str]:
        """All five."""
        return COMPANIES

    def list_documents(self, company: str) -> list[DocumentListing]:
        """One a role."""
        return [
            DocumentListing(
                company=company,
                role=f"Role {n}",
                type=DocumentType.JOB_DESCRIPTION,
                source="api",
                key=str(n),
                fingerprint=self.version if n % CHANGED_EVERY == 0 else "1",
            )
            for n in range(self.roles)
        ]

    def get_document(self, company: str, role: str, type: DocumentType) -> DocumentRef | None:
        """Another text in each version."""
        return DocumentRef(content=f"{JD}- {role} {self.version}\n")

    def get_documents_for_role(self, company: str, role: str) -> list[DocumentRef]:
        """Not asked."""
        return []

    def _entry(self, company: str, n: int) -> TaxonomyEntry:
        version = self.version if n % CHANGED_EVERY == 0 else "1"
        return TaxonomyEntry(
            job_id=f"{n}", company_name=company, job_title=f"Role {n}", draup_role=f"D{version}"
        )


@dataclass
class Found:
    """What a part brought: seconds of its longest tick, how many, and what the last one said."""

    longest: float
    ticks: int
    said: str


Part = Callable[[Services, Sources, dg.DagsterInstance], Awaitable[Found]]


async def _round(tick: Tick, services: Services, instance: dg.DagsterInstance) -> Found:
    """Ticks as a daemon makes them, until each company has been looked at."""
    round_, found = Round(), Found(0.0, 0, "")
    while not found.ticks or round_.after:
        began = time.monotonic()
        found.said = await tick(services, instance, round_, TickTime(LOOK_SECONDS, TICK_SECONDS))
        found.longest = max(found.longest, time.monotonic() - began)
        found.ticks += 1
    return found


async def _taxonomy(services: Services, sources: Sources, instance: dg.DagsterInstance) -> Found:
    return await _round(taxonomy_tick, services, instance)


async def _documents(services: Services, sources: Sources, instance: dg.DagsterInstance) -> Found:
    return await _round(document_tick, services, instance)


async def _changed_taxonomy(
    services: Services, sources: Sources, instance: dg.DagsterInstance
) -> Found:
    sources.version = "2"
    return await _taxonomy(services, sources, instance)


async def _changed_documents(
    services: Services, sources: Sources, instance: dg.DagsterInstance
) -> Found:
    sources.version = "2"
    return await _documents(services, sources, instance)


async def _plan(services: Services, sources: Sources, instance: dg.DagsterInstance) -> Found:
    began = time.monotonic()
    plan = await reassessment_plan(services)
    seconds = time.monotonic() - began
    return Found(seconds, 1, f"{len(plan.roles)} stale, cost {plan.cost}, {plan.verdicts}")


def _assess(given: Given, days_ago: float) -> None:
    """Gives every role a current assessment, without the walk: this measures what comes after."""

    async def run() -> None:
        services = open_services(Settings(**given))
        assessor = services.assessors.configured.info
        after = 0
        while page := await services.graph.roles_in(list(RoleStatus), after=after):
            after = page[-1].sequence
            await asyncio.gather(*(_restore(services, role, assessor, days_ago) for role in page))
        await services.close()

    asyncio.run(run())


async def _restore(services: Services, role: Role, assessor: AssessorInfo, days_ago: float) -> None:
    role = role.model_copy(update={"jd_hash": "0" * 64, "state": RoleStatus.READY})
    potentials = {"ai_automation_potential_score": 30, "ai_augmentation_potential_score": 10}
    made = Assessment(
        assessment_id=f"as-{role.role_id}-{days_ago:g}",
        role_id=role.role_id,
        workflow_id="role-onboard-000000000000",
        assessor=assessor,
        inputs=role.inputs,
        inputs_hash=role.inputs.inputs_hash,
        scores=Scores(ai_automation_score=40, **potentials),
        created_at=services.clock() - timedelta(days=days_ago),
    )
    current = CurrentAssessment(
        assessment_id=made.assessment_id, final_score=40, basis=basis_of(made)
    )
    await services.graph.restore_role(
        role.model_copy(update={"current": current}), documents=(), assessments=[made], skills=()
    )


def _count(given: Given) -> int:
    async def run() -> int:
        services = open_services(Settings(**given))
        found = await services.graph.count_roles()
        await services.close()
        return found

    return asyncio.run(run())


def _measure(given: Given, roles: int, part: Part) -> tuple[Found, float, float]:
    async def run() -> tuple[Found, float]:
        settings = Settings(**given)
        sources = Sources(roles)
        services = open_services(settings)
        services.taxonomy, services.document_source = sources, sources
        os.environ["DAGSTER_HOME"] = str(settings.data_dir)
        with dg.DagsterInstance.get() as instance:
            busy = time.process_time()
            with rare_collections():  # as in a tick
                found = await part(services, sources, instance)
            busy = time.process_time() - busy
        await services.close()
        return found, busy

    found, busy = asyncio.run(run())
    return found, busy, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _apart(act: Callable[..., Any], *given: object) -> Any:
    """In a process of its own, which begins small: a child's peak is at least its parent's size."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(act, given)


@contextmanager
def _graph(neo4j: bool) -> Iterator[Given]:
    """Settings of an empty graph."""
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(data_dir=Path(name))
        configure_dagster(settings.data_dir, settings)
        given: Given = {
            "data_dir": settings.data_dir,
            "enable_mock_data": False,
            "push_new_taxonomy_roles": False,
        }
        if not neo4j:
            yield given
            return
        if reason := missing():
            sys.exit(reason)
        server = Neo4jServer(long_lived=True)
        try:
            server.start()
            server.migrate()
            yield {**given, **{key.lower(): value for key, value in server.variables.items()}}
        finally:
            server.remove()


def main() -> None:
    """Measures each part and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("roles", nargs="?", type=int, default=100_000)
    parser.add_argument("--neo4j", action="store_true", help="on a Neo4j that is started for it")
    asked = parser.parse_args()
    roles, kind = asked.roles, "Neo4j" if asked.neo4j else "SQLite"
    print(
        f"| over {roles:,} roles on {kind} | longest tick | ticks | processor, all of them "
        "| peak memory |"
    )
    print("| --- | --- | --- | --- | --- |")
    with _graph(asked.neo4j) as graph:

        def show(what: str, part: Part, **more: object) -> None:
            found, busy, peak = _apart(_measure, {**graph, **more}, roles, part)
            print(
                f"| {what} | {found.longest:.1f} s | {found.ticks} | {busy:.1f} s "
                f"| {peak:.0f} MB |",
                flush=True,
            )
            print(f"  {found.said}", file=sys.stderr)

        show("`taxonomy_sensor`: first ticks, 10,000 new roles of each company", _taxonomy)
        while _apart(_count, graph) < roles:
            _apart(_measure, graph, roles, _taxonomy)
        show("`document_sensor`: first ticks", _documents)
        while WAITING in _apart(_measure, graph, roles, _documents)[0].said:
            pass
        _apart(_assess, graph, 1.0)
        show("`taxonomy_sensor`: nothing changed", _taxonomy)
        show("`document_sensor`: nothing changed", _documents)
        show("the plan: nothing stale", _plan)
        show("`taxonomy_sensor`: one mapping in 1,000 changed", _changed_taxonomy)
        show("`document_sensor`: one document in 1,000 changed", _changed_documents)
        show("the plan: one role in 1,000 stale", _plan)
        show("the plan: every role stale for another, paid assessor", _plan, **PAID)
        _apart(_assess, graph, 40.0)
        show("the plan: every role too old", _plan)


if __name__ == "__main__":
    main()
