"""What every `RoleGraph` promises of searches: by name and Draup role, whatever case and spaces."""

from __future__ import annotations

import pytest

from etter_dagster.stores import RoleGraph
from etter_dagster.stores.protocols import list_key

ROLES = {
    "Registered Nurse": "Nurse",
    "nursery  worker": "Child Carer",
    "Ärztin": "Physician",
    "Straßenbauer": "Road Builder",
    "50% Clerk_": "",
}


@pytest.fixture
async def filled(graph: RoleGraph) -> RoleGraph:
    for name, draup_role in ROLES.items():
        await graph.put_role("Acme", name, draup_role_name=draup_role or None)
    await graph.put_role("Acme", "By Id", draup_role_id="D-77")
    await graph.put_role("Other", "Nurse")
    return graph


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("nurse", ["Registered Nurse", "nursery  worker"]),
        ("NURSERY WORKER", ["nursery  worker"]),
        ("  nursery \t work", ["nursery  worker"]),
        ("ÄRZT", ["Ärztin"]),
        ("strasse", ["Straßenbauer"]),
        ("road b", ["Straßenbauer"]),
        ("d-77", ["By Id"]),
        ("%", ["50% Clerk_"]),
        ("_", ["50% Clerk_"]),
        (".*", []),
        ("nurse nurse", []),
    ],
)
async def test_a_search_looks_in_names_and_draup_roles(
    filled: RoleGraph, q: str, found: list[str]
) -> None:
    assert [role.role_name for role in await filled.roles("Acme", q=q)] == found
    assert await filled.count_roles("Acme", q=q) == len(found)


async def test_a_search_of_all_companies_and_of_none(filled: RoleGraph) -> None:
    everywhere = [role.role_name for role in await filled.roles(q="nurse")]
    assert everywhere == ["Nurse", "Registered Nurse", "nursery  worker"]
    assert await filled.count_roles(q="nurse") == 3
    assert await filled.roles("Nobody", q="nurse") == []
    assert await filled.count_roles("Nobody", q="nurse") == 0
    assert len(await filled.roles("Acme", q=" ")) == await filled.count_roles("Acme") == 6


async def test_a_search_continues_behind_its_page(filled: RoleGraph) -> None:
    (first,) = await filled.roles("Acme", q="nurse", limit=1)
    rest = await filled.roles("Acme", q="nurse", after=list_key(first))
    assert [role.role_name for role in rest] == ["nursery  worker"]


async def test_a_role_is_found_by_its_new_draup_role(filled: RoleGraph) -> None:
    await filled.put_role("Acme", "Registered Nurse", draup_role_name="Ward Manager")
    assert await filled.count_roles("Acme", q="ward manager") == 1
    assert await filled.count_roles("Acme", q="nurse") == 2, "its own name still has it"


async def test_names_that_differ_by_case_or_white_space_are_the_same(filled: RoleGraph) -> None:
    await filled.put_role("Acme", "NURSERY WORKER")

    async def same(*names: str) -> list[str]:
        return sorted(await filled.same_names("Acme", names))

    assert await same("Nursery Worker") == ["NURSERY WORKER", "nursery  worker"]
    assert await same("STRASSENBAUER", "Ärztin", "Nurse") == ["Straßenbauer", "Ärztin"]
    assert await same() == []
    many = [f"role {number}" for number in range(3000)]
    assert await same(*many, "ärztin") == ["Ärztin"]
