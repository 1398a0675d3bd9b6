"""What every `RoleGraph` promises of counts by state: the same as of looking at each role."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from etter_dagster.model.assessment import AssessorInfo
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.stores import RoleGraph
from etter_dagster_tests.contract.records import ASSESSOR, NOW, assessment, document

JD = document("the JD")
DAY = timedelta(days=1)


async def assessed(
    graph: RoleGraph, name: str, outcome: RoleStatus = RoleStatus.READY, *, company: str = "Acme"
) -> str:
    """A role with an assessment of its inputs, made now; gives its id."""
    rid = role_id(company, name)
    await graph.put_role(company, name, draup_role_name="D")
    await graph.link_documents(rid, [JD])
    await graph.add_assessment(assessment(rid, jd_hash=JD.content_hash), current=True)
    await graph.settle_role(rid, outcome, workflow_id="w", token=1)
    return rid


async def counted(
    graph: RoleGraph,
    *without: str,
    company: str = "Acme",
    by: AssessorInfo = ASSESSOR,
    oldest: timedelta = -DAY,
) -> dict[str, int]:
    found = await graph.count_states(
        company, assessor_key=by.key, not_before=NOW + oldest, without=without
    )
    return {state.value: number for state, number in found.items()}


async def test_roles_are_counted_by_their_settled_state(graph: RoleGraph) -> None:
    assert await counted(graph) == {}
    await graph.put_role("Acme", "New")
    await assessed(graph, "A")
    await assessed(graph, "B")
    await assessed(graph, "C", RoleStatus.DEGRADED)
    failed = await assessed(graph, "D", RoleStatus.FAILED)
    await assessed(graph, "E", company="Other")
    assert await counted(graph) == {"draft": 1, "ready": 2, "degraded": 1, "failed": 1}
    assert await counted(graph, failed, "cr-x") == {"draft": 1, "ready": 2, "degraded": 1}
    assert await counted(graph, company="Other") == {"ready": 1}
    assert await counted(graph, company="Nobody") == {}


async def test_an_assessment_that_no_longer_holds_makes_a_role_stale(graph: RoleGraph) -> None:
    """Nobody marks a role stale in the moment in which it gets too old."""
    await assessed(graph, "A")
    await assessed(graph, "B", RoleStatus.DEGRADED)
    await assessed(graph, "C", RoleStatus.FAILED)
    assert await counted(graph, oldest=timedelta()) == {"ready": 1, "degraded": 1, "failed": 1}
    assert await counted(graph, oldest=DAY) == {"stale": 2, "failed": 1}
    for change in ("name", "model", "version"):
        other = ASSESSOR.model_copy(update={change: "other"})
        assert await counted(graph, by=other) == {"stale": 2, "failed": 1}


async def test_so_do_other_inputs_until_they_are_the_old_ones_again(graph: RoleGraph) -> None:
    by_mapping = await assessed(graph, "A")
    by_document = await assessed(graph, "B")
    await graph.put_role("Acme", "A", draup_role_name="Other")
    await graph.link_documents(by_document, [document("another JD")])
    assert await counted(graph) == {"stale": 2}
    await graph.link_documents(by_document, [JD])
    assert await counted(graph) == {"stale": 1, "ready": 1}
    await graph.move_role(by_mapping, RoleStatus.STALE)
    await graph.put_role("Acme", "A", draup_role_name="D")
    assert await counted(graph) == {"stale": 1, "ready": 1}, "what is marked stays so"


async def test_very_many_can_be_left_out(graph: RoleGraph) -> None:
    """Of a company whose every role was pushed just now."""
    rid = await assessed(graph, "A")
    others = [f"cr-acme-other-{number:012x}" for number in range(40_000)]
    assert Counter(await counted(graph, *others, rid)) == {}
    assert await counted(graph, *others) == {"ready": 1}
