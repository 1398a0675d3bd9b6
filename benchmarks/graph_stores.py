"""Roles a second that each kind of graph takes, with what a push writes of a role.

Run: `python -m benchmarks.graph_stores [ROLES]`. Prints the table of `docs/performance.md`. Neo4j
is started from the jars that `make test-servers` fetches; without them it is left out.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

from etter_dagster.model.assessment import (
    AssessedTask,
    Assessment,
    AssessmentInputs,
    AssessorInfo,
    Scores,
    assessment_id,
)
from etter_dagster.model.documents import DocumentType, LinkedDocument, text_hash
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.skills import RoleSkill
from etter_dagster.settings import Settings
from etter_dagster.stores import RoleGraph, open_graph
from etter_dagster.stores.migrations import migrate
from etter_dagster_tests.servers.neo4j import Neo4jServer, missing

COMPANIES = 5
TASKS, SKILLS, JD_WORDS = 20, 10, 600  # of one role
NOW = datetime(2026, 1, 5, tzinfo=timezone.utc)
ASSESSOR = AssessorInfo(name="exposure", model="m", version="1")


def main() -> None:
    """Measures both kinds one after the other."""
    roles = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print("| graph | roles at once | roles/s | all read in pages, roles/s |")
    print("| --- | --- | --- | --- |")
    with stores() as kinds:
        for name, settings in kinds:
            asyncio.run(migrate(settings))
            for at_once in (1, 50, 250):
                wanted = roles if at_once > 1 else roles // 10
                asyncio.run(measure(settings, wanted, at_once, "warm up"))
                written, read = asyncio.run(measure(settings, wanted, at_once))
                print(f"| {name} | {at_once} | {written:,.0f} | {read:,.0f} |", flush=True)


@contextmanager
def stores() -> Iterator[list[tuple[str, Settings]]]:
    """Settings of each kind, empty."""
    with tempfile.TemporaryDirectory() as folder:
        embedded = Settings(data_dir=Path(folder), enable_mock_data=False)
        kinds = [("SQLite", embedded)]
        if reason := missing():
            print(f"Neo4j is left out: {reason}", file=sys.stderr)
            yield kinds
            return
        server = Neo4jServer(long_lived=True)
        try:
            server.start()
            yield [*kinds, ("Neo4j", server.settings(embedded))]
        finally:
            server.remove()


async def measure(
    settings: Settings, roles: int, at_once: int, company: str = "Company"
) -> tuple[float, float]:
    """Roles a second that are written by so many tasks at once, and read in pages."""
    graph = open_graph(settings)
    await graph.ping()
    places = asyncio.Semaphore(at_once)

    async def one(i: int) -> None:
        async with places:
            await write(graph, f"{company} {i % COMPANIES}", f"Role {at_once} {i}")

    wrote = await seconds(lambda: asyncio.gather(*map(one, range(roles))))
    count = await graph.count_roles()
    read = await seconds(lambda: read_all(graph))
    await graph.close()
    return roles / wrote, count / read


async def write(graph: RoleGraph, company: str, name: str) -> None:
    """What a push writes of a role: five calls, each on disk before the next."""
    role = await graph.put_role(company, name, draup_role_name=f"Draup {len(name)}", token=1)
    await graph.link_documents(role.role_id, [job_description(name)], token=1)
    await graph.add_assessment(assessment(role.role_id, name), current=True, token=1)
    skills = [RoleSkill(name=f"Skill {(len(name) + n) % 40}", exposure=n) for n in range(SKILLS)]
    await graph.put_skills(role.role_id, skills, token=1)
    await graph.settle_role(role.role_id, RoleStatus.READY, workflow_id="w", token=1)


async def read_all(graph: RoleGraph) -> None:
    """As the nightly plan does."""
    after = 0
    while page := await graph.roles_in([RoleStatus.READY], after=after):
        after = page[-1].sequence


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    """How long it takes."""
    began = time.monotonic()
    await work()
    return time.monotonic() - began


def job_description(name: str) -> LinkedDocument:
    """A JD of usual length."""
    text = f"# {name}\n" + "report " * JD_WORDS
    return LinkedDocument(
        document_id=f"doc-{name}",
        type=DocumentType.JOB_DESCRIPTION,
        content=text,
        content_hash=text_hash(text),
        linked_at=NOW,
    )


def assessment(role_id: str, name: str) -> Assessment:
    """An assessment of usual size."""
    inputs = AssessmentInputs(role_id=role_id, jd_hash=name, documents_hash="", draup_role="D")
    tasks = tuple(
        AssessedTask(
            task=f"Task {n} of {name}: prepares the weekly report", score=50, evidence=("a", "b")
        )
        for n in range(TASKS)
    )
    return Assessment(
        assessment_id=assessment_id(name, inputs.inputs_hash, ASSESSOR),
        role_id=role_id,
        workflow_id=name,
        assessor=ASSESSOR,
        inputs=inputs,
        inputs_hash=inputs.inputs_hash,
        scores=Scores(
            ai_automation_score=50,
            ai_automation_potential_score=50,
            ai_augmentation_potential_score=0,
        ),
        tasks=tasks,
        created_at=NOW + timedelta(days=1),
    )


if __name__ == "__main__":
    main()
