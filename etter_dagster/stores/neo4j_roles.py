"""Roles in Neo4j under their lock: loaded, changed by `role_changes`, and saved with UNWIND.

Locks are always taken in the same order, so that transactions wait for each other instead of
deadlocking: the counter, roles by id, then what roles share (companies, Draup roles, skills) by
name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from neo4j import AsyncManagedTransaction

from etter_dagster.stores import neo4j_nodes as nodes
from etter_dagster.stores.neo4j_commits import Outcome
from etter_dagster.stores.neo4j_saving import save
from etter_dagster.stores.role_changes import HeldRole, RoleChange

_KNOWN = "MATCH (r:CompanyRole) WHERE r.role_id IN $ids RETURN count(r) AS n"
# Setting a property takes the lock; what is read afterwards is what holds until the commit.
_HOLD = """
UNWIND $ids AS id
MATCH (r:CompanyRole {role_id: id}) USING INDEX r:CompanyRole(role_id)
SET r.locked = true
WITH r
RETURN collect([r.role_id, r.body, r.sequence, r.fence]) AS roles
"""
DOCUMENTS = """
MATCH (r:CompanyRole)-[l:HAS_JOB_DESCRIPTION|HAS_DOCUMENT]->(d)
WHERE r.role_id IN $ids
RETURN r.role_id AS role_id, d AS document
ORDER BY role_id, d.type <> 'job_description', l.position
"""
_NEXT = """
MERGE (c:Counter {name: $name}) ON CREATE SET c.value = 0
SET c.locked = true
WITH c
SET c.value = c.value + $n
RETURN c.value AS value
"""


async def apply(
    tx: AsyncManagedTransaction, changes: Sequence[RoleChange]
) -> tuple[list[Outcome], set[str]]:
    """Applies changes of roles one after the other; one that raises changes nothing.

    Returns:
        For each the role after it or what it raised, and the ids of roles that are new.
    """
    ids = sorted({change.role_id for change in changes})
    creating = {change.role_id for change in changes if change.creates}
    sequence = await _reserve(tx, creating)
    before = await _hold(tx, ids, {c.role_id for c in changes if c.reads_documents})
    held: dict[str, HeldRole] = dict(before)
    outcomes: list[Outcome] = []
    for change in changes:
        try:
            after = change.act(held.get(change.role_id))
        except Exception as error:
            outcomes.append(error)
            continue
        if change.role_id not in held:
            sequence += 1
            role = after.role.model_copy(update={"sequence": sequence})
            after = replace(after, role=role)
        held[change.role_id] = after
        outcomes.append(after.role)
    await save(tx, before, held)
    return outcomes, held.keys() - before.keys()


async def next_of(tx: AsyncManagedTransaction, counter: str, n: int) -> int:
    """The last value before `n` new ones of a counter, which is locked until the commit: numbers
    become visible in their order.
    """
    record = await (await tx.run(_NEXT, name=counter, n=n)).single(strict=True)
    return int(record["value"]) - n


async def _reserve(tx: AsyncManagedTransaction, creating: Collection[str]) -> int:
    """Sequence numbers for those that are not known; the lock comes before those of roles."""
    if not creating:
        return 0
    known = await (await tx.run(_KNOWN, ids=list(creating))).single(strict=True)
    missing = len(creating) - known["n"]
    return await next_of(tx, "roles", missing) if missing else 0


async def _hold(
    tx: AsyncManagedTransaction, ids: Sequence[str], with_documents: Collection[str]
) -> Mapping[str, HeldRole]:
    """Locks the roles that there are, and loads them."""
    record = await (await tx.run(_HOLD, ids=ids)).single(strict=True)
    linked: dict[str, list[Any]] = {}
    if with_documents:
        async for row in await tx.run(DOCUMENTS, ids=sorted(with_documents)):
            linked.setdefault(row["role_id"], []).append(nodes.document_of(row["document"]))
    return {
        rid: HeldRole(nodes.role_of(body, sequence), fence, tuple(linked.get(rid, ())))
        for rid, body, sequence, fence in record["roles"]
    }
