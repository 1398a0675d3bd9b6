"""A process of its own that works on a graph: `python -m ... URI act ARGS...`."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter

from etter_dagster.model.errors import IllegalMove
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.onboarding.services import utc_now
from etter_dagster.settings import Settings
from etter_dagster.stores import RoleGraph, open_graph
from etter_dagster_tests.contract.records import assessment, document
from etter_dagster_tests.servers.neo4j import PASSWORD


async def make(graph: RoleGraph, company: str, n: str) -> None:
    """Makes roles with their JD and an assessment, ten at a time; prints each that is on disk."""

    async def one(i: int) -> None:
        role = await graph.put_role(company, f"Role {i}", draup_role_name=f"Draup {i % 3}", token=1)
        await graph.link_documents(role.role_id, [document(f"JD {i}")], token=1)
        await graph.add_assessment(assessment(role.role_id), current=True, token=1)
        await graph.settle_role(role.role_id, RoleStatus.READY, workflow_id="w", token=1)
        print(role.role_id, role.sequence, flush=True)

    for start in range(0, int(n), 10):
        await asyncio.gather(*(one(i) for i in range(start, start + 10)))


async def toggle(graph: RoleGraph, role_id: str, n: str) -> None:
    """Marks a role stale and settles it again; prints how often each was allowed."""
    counts: Counter[str] = Counter()
    for _ in range(int(n)):
        try:
            await graph.move_role(role_id, RoleStatus.STALE)
            counts["stale"] += 1
            await graph.settle_role(role_id, RoleStatus.READY, workflow_id="w", token=None)
            counts["settled"] += 1
        except IllegalMove:
            counts["refused"] += 1
    print(counts["stale"], counts["settled"], counts["refused"], flush=True)


async def main(uri: str, act: str, *args: str) -> None:
    graph = open_graph(Settings(neo4j_uri=uri, neo4j_password=PASSWORD), utc_now)
    await {"make": make, "toggle": toggle}[act](graph, *args)
    await graph.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
