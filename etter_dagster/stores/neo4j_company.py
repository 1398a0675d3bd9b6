"""A company taken out of Neo4j, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from neo4j import AsyncManagedTransaction

from etter_dagster.stores.neo4j_records import append_audit
from etter_dagster.stores.protocols import AuditEntry, with_roles

_ROLES = "MATCH (:Company {name: $company})-[:HAS_ROLE]->(r)"
# Locked first and in the order of ids, as every writer of roles does.
_HOLD = f"{_ROLES} WITH r ORDER BY r.role_id SET r.locked = true RETURN count(r) AS n"
# Draup roles and skills are everybody's; only the relations to them go.
_DELETE: Sequence[str] = (
    f"{_ROLES}-[:HAS_ASSESSMENT]->()-[:COVERS]->(t) WITH DISTINCT t DETACH DELETE t",
    f"{_ROLES}-[:HAS_ASSESSMENT]->(a) DETACH DELETE a",
    f"{_ROLES}-[:HAS_JOB_DESCRIPTION|HAS_DOCUMENT|HAD_DOCUMENT]->(d) "
    "WITH DISTINCT d DETACH DELETE d",
    "MATCH (p:Push) USING INDEX p:Push(company_id, list_key) "
    "WHERE p.company_id = $company AND p.list_key >= '' DETACH DELETE p",
    f"{_ROLES} DETACH DELETE r",
    "MATCH (c:Company {name: $company}) DETACH DELETE c",
)


async def delete_company(tx: AsyncManagedTransaction, company_id: str, entry: AuditEntry) -> int:
    """Deletes all of a company and records that; gives the number of roles."""
    record = await (await tx.run(_HOLD, company=company_id)).single(strict=True)
    roles = int(record["n"])
    for query in _DELETE:
        await (await tx.run(query, company=company_id)).consume()
    await append_audit(tx, [with_roles(entry, roles)])
    return roles
