"""What every `RoleGraph` promises of the catalogue: mappings that follow, documents, bulk reads."""

from __future__ import annotations

import pytest

from etter_dagster.model.catalogue import KnownDocument
from etter_dagster.model.documents import DocumentType
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.role import Role
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.stores import RoleGraph
from etter_dagster_tests.contract.records import assessment

RID = role_id("Acme", "Analyst")
JD = KnownDocument(
    type=DocumentType.JOB_DESCRIPTION, source="api", key="7", fingerprint="f1", name="jd.pdf"
)


def entry(title: str = "Analyst", **more: str | None) -> TaxonomyEntry:
    return TaxonomyEntry.model_validate(
        {"job_id": f"j-{title}", "company_name": "Acme", "job_title": title, **more}
    )


async def role(graph: RoleGraph, rid: str = RID) -> Role:
    found = await graph.role(rid)
    assert found is not None
    return found


async def test_a_role_follows_the_taxonomys_mapping(graph: RoleGraph) -> None:
    """A changed mapping must reach the role, or its assessment would never be stale."""
    await graph.put_taxonomy([entry(draup_role="Data Analyst")])
    await graph.put_taxonomy([entry(draup_role="Business Analyst", draup_role_id="d-2")])
    found = await role(graph)
    assert (found.draup_role_id, found.draup_role_name) == ("d-2", "Business Analyst")
    await graph.put_taxonomy([entry()])
    assert (await role(graph)).draup_role_name == "Business Analyst", "a lost mapping is kept"


async def test_a_mapping_given_by_a_person_is_kept(graph: RoleGraph) -> None:
    await graph.put_taxonomy([entry(draup_role="Data Analyst")])
    await graph.put_role("Acme", "Analyst", draup_role_name="Chief Analyst")
    await graph.put_taxonomy([entry(draup_role="Business Analyst")])
    assert (await role(graph)).draup_role_name == "Chief Analyst"


async def test_a_removed_entry_is_marked_and_its_role_stays(graph: RoleGraph) -> None:
    """Nothing is ever deleted because a source no longer lists it."""
    await graph.put_taxonomy([entry(draup_role="Data Analyst")])
    await graph.settle_role(RID, RoleStatus.READY, workflow_id="w", token=1)
    await graph.put_taxonomy([entry(draup_role="Data Analyst", status="removed")])
    found = await role(graph)
    assert found.taxonomy is not None
    assert (found.taxonomy.status, found.state) == ("removed", RoleStatus.READY)
    await graph.put_taxonomy([entry(draup_role="Data Analyst")])
    back = (await role(graph)).taxonomy
    assert back is not None
    assert back.status == "active"


async def test_the_catalogue_is_kept_with_its_role(graph: RoleGraph) -> None:
    await graph.put_role("Acme", "Analyst")
    assert (await role(graph)).catalogued is None, "nobody has looked yet"
    await graph.put_catalogue({RID: [JD], "cr-x-x-000000000000": [JD]})
    assert (await role(graph)).catalogued == (JD,)
    await graph.put_catalogue({RID: []})
    assert (await role(graph)).catalogued == ()
    assert await graph.count_roles() == 1, "the catalogue makes no roles"


async def test_roles_are_read_by_state_in_pages(graph: RoleGraph) -> None:
    """A plan over 100,000 roles reads them in pages, each once."""
    for index in range(6):
        await graph.put_role("Acme", f"r{index}")
    for index, state in enumerate((RoleStatus.READY, RoleStatus.FAILED, RoleStatus.READY)):
        rid = role_id("Acme", f"r{index}")
        await graph.settle_role(rid, state, workflow_id=f"w{index}", token=1)
    wanted = [RoleStatus.READY, RoleStatus.FAILED]
    first = await graph.roles_in(wanted, limit=2)
    rest = await graph.roles_in(wanted, after=first[-1].sequence, limit=2)
    assert [r.role_name for r in first + rest] == ["r0", "r1", "r2"]
    assert [r.role_name for r in await graph.roles_in([RoleStatus.FAILED])] == ["r1"]
    assert len(await graph.roles_in([RoleStatus.DRAFT])) == 3
    assert await graph.roles_in([RoleStatus.STALE]) == []


@pytest.mark.parametrize("cost", [None, 0.25])
async def test_the_current_assessments_cost_is_at_hand(
    graph: RoleGraph, cost: float | None
) -> None:
    """The plan estimates with measured costs and must not read every assessment for it."""
    await graph.put_role("Acme", "Analyst")
    made = assessment(RID).model_copy(update={"cost": cost})
    await graph.add_assessment(made, current=True)
    current = (await role(graph)).current
    assert current is not None
    assert current.cost == cost
