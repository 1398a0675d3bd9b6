"""A role that is put back is the one that was, in every kind of graph."""

from __future__ import annotations

from etter_dagster.model.documents import DocumentType
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.skills import RoleSkill
from etter_dagster.stores import RoleGraph
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.contract.records import assessment, document

RID, OTHER = role_id("Acme", "Analyst"), role_id("Globex", "Analyst")
PROCESS = document("how it is done", DocumentType.PROCESS_MAP)


async def test_a_role_is_restored_with_all_that_hangs_on_it(graph: RoleGraph, clock: Clock) -> None:
    """As if the role of another graph: the same under another company's name."""
    await graph.put_role("Acme", "Analyst", draup_role_name="Data Analyst")
    await graph.link_documents(RID, [document("one"), PROCESS])
    await graph.add_assessment(assessment(RID), current=True)
    await graph.put_skills(RID, [RoleSkill(name="B"), RoleSkill(name="A", exposure=3)])
    before = await graph.settle_role(RID, RoleStatus.READY, workflow_id="w", token=3)
    clock.tick(60)
    moved = {"role_id": OTHER, "company_id": "Globex"}
    theirs = [made.model_copy(update={"role_id": OTHER, "assessment_id": f"x{made.assessment_id}"})
              for made in await graph.assessments(RID)]  # fmt: skip
    restored = await graph.restore_role(
        before.model_copy(update=moved),
        documents=await graph.documents(RID),
        assessments=theirs,
        skills=await graph.skills(RID),
    )
    found = await graph.role(OTHER)
    assert found == restored
    assert found.model_copy(update={"sequence": 0}) == before.model_copy(
        update={**moved, "sequence": 0}
    )
    assert found.sequence != before.sequence
    assert await graph.documents(OTHER) == await graph.documents(RID)
    assert await graph.assessments(OTHER) == theirs
    assert await graph.skills(OTHER) == await graph.skills(RID)
    assert OTHER in [rid for _, rid in await graph.roles_since(before.sequence)]


async def test_a_role_that_a_push_has_settled_stays_as_it_is(graph: RoleGraph) -> None:
    """And a draft, as the taxonomy makes it, is filled."""
    draft = await graph.put_role("Acme", "Analyst")
    settled = draft.model_copy(update={"state": RoleStatus.FAILED, "workflow_id": "old"})
    first = await graph.restore_role(settled, documents=[], assessments=[], skills=[])
    assert (first.state, first.sequence) == (RoleStatus.FAILED, draft.sequence)
    later = settled.model_copy(update={"state": RoleStatus.READY, "workflow_id": "older"})
    await graph.restore_role(later, documents=[document("x")], assessments=[], skills=[])
    assert await graph.role(RID) == first
    assert await graph.documents(RID) == []
