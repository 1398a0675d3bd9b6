"""No list and no look-up scans a label: on an empty graph, where the planner knows nothing yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from neo4j import AsyncManagedTransaction, GraphDatabase

from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.push import Source
from etter_dagster.settings import Settings
from etter_dagster.stores import RoleGraph, open_graph
from etter_dagster.stores.protocols import PushFilter
from etter_dagster_tests.contract.records import NOW, assessment, document, new_push
from etter_dagster_tests.servers.neo4j import PASSWORD, Neo4jServer

READS: dict[str, Callable[[RoleGraph], Awaitable[Any]]] = {
    "a role": lambda g: g.role("r"),
    "roles": lambda g: g.roles(),
    "roles behind one": lambda g: g.roles(after="a\0b"),
    "roles of a company": lambda g: g.roles("Acme"),
    "roles since": lambda g: g.roles_since(5),
    "roles in states": lambda g: g.roles_in([RoleStatus.READY, RoleStatus.FAILED], after=5),
    "search of a company": lambda g: g.roles("Acme", q="a"),
    "number found": lambda g: g.count_roles("Acme", q="a"),
    "same names": lambda g: g.same_names("Acme", ["a", "b"]),
    "number of roles": lambda g: g.count_roles("Acme"),
    "roles by state": lambda g: g.count_states(
        "Acme", assessor_key="a/b/c", not_before=NOW, without=["r"]
    ),
    "documents": lambda g: g.documents("r"),
    "assessments": lambda g: g.assessments("r"),
    "current assessment": lambda g: g.current_assessment("r"),
    "finished assessment": lambda g: g.find_assessment("r", "i", "a", not_before=NOW),
    "finished of many": lambda g: g.assessed_before({"r": "i"}, "a", not_before=NOW),
    "skills": lambda g: g.skills("r"),
    "pushes by id": lambda g: g.history_of(["w"]),
    "newest push": lambda g: g.newest_push("r"),
    "audit": lambda g: g.audit(None, cursor="7", limit=5),
    "audit of a company": lambda g: g.audit(["Acme"], cursor=None, limit=5),
}
FILTERS = {
    "all": PushFilter(),
    "company": PushFilter(companies=("Acme",)),
    "companies": PushFilter(companies=("Acme", "Other")),
    "batch": PushFilter(batch_id="b", companies=("Acme",)),
    "week": PushFilter(since=NOW, until=NOW + timedelta(days=7), source=Source.REST, q="a"),
}


async def listed(which: PushFilter, graph: RoleGraph) -> None:
    await graph.list_history(which, cursor=None, limit=5)


async def counted(which: PushFilter, graph: RoleGraph) -> None:
    await graph.count_history(which)


for _name, _filter in FILTERS.items():
    READS[f"history: {_name}"] = partial(listed, _filter)
    READS[f"counts: {_name}"] = partial(counted, _filter)
SORTS = {"Sort", "Top"}
BAD = {"NodeByLabelScan", "AllNodesScan", *SORTS}
# Few hang on a role: they may be sorted.
OF_ONE_ROLE = {"documents", "assessments", "finished assessment", "writes"}


def operators(plan: dict[str, Any] | None) -> set[str]:
    assert plan is not None
    found = {str(plan["operatorType"]).partition("@")[0]}
    return found.union(*(operators(child) for child in plan.get("children", [])))


async def write(graph: RoleGraph) -> None:
    role = await graph.put_role("Acme", "Analyst", draup_role_name="D", token=1)
    await graph.link_documents(role.role_id, [document("JD")], token=1)
    await graph.add_assessment(assessment(role.role_id), current=True, token=1)
    await graph.settle_role(role.role_id, RoleStatus.READY, workflow_id="w", token=1)
    await graph.append_history([new_push().push])


async def test_every_read_and_write_goes_along_an_index(
    neo4j: Neo4jServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of fifty pushes once sorted all 20,000 of them."""
    ran: list[tuple[str, dict[str, Any]]] = []
    run = AsyncManagedTransaction.run

    async def noted(self: Any, query: str, parameters: Any = None, **more: Any) -> Any:
        ran.append((query, {**(parameters or {}), **more}))
        return await run(self, query, parameters, **more)

    monkeypatch.setattr(AsyncManagedTransaction, "run", noted)
    graph = open_graph(neo4j.settings(settings))
    bad = []
    with GraphDatabase.driver(
        neo4j.uri, auth=("neo4j", PASSWORD), notifications_min_severity="OFF"
    ) as driver:
        for name, call in {"writes": write, **READS}.items():
            ran.clear()
            await call(graph)
            assert ran, name
            for query, parameters in ran:
                plan = driver.execute_query(f"EXPLAIN {query}", parameters).summary.plan
                allowed = SORTS if name in OF_ONE_ROLE else set()
                if found := operators(plan) & BAD - allowed:
                    bad.append((name, sorted(found), query))
    await graph.close()
    assert bad == [], "\n".join(map(str, bad))
