"""The constraints and indexes of the graph in Neo4j, by numbered migrations; `etter migrate`
applies them. `docs/graph.md` shows what they are for.
"""

from __future__ import annotations

from neo4j import AsyncDriver, AsyncManagedTransaction, AsyncSession

_INDEX_SECONDS = 600


def _unique(label: str, name: str) -> str:
    return (
        f"CREATE CONSTRAINT {label.lower()}_{name} IF NOT EXISTS "
        f"FOR (n:{label}) REQUIRE n.{name} IS UNIQUE"
    )


def _index(label: str, *names: str) -> str:
    listed = ", ".join(f"n.{name}" for name in names)
    return (
        f"CREATE INDEX {label.lower()}_by_{'_'.join(names)} IF NOT EXISTS "
        f"FOR (n:{label}) ON ({listed})"
    )


# The n-th (from 1) brings a database from version n - 1 to n. Schema and data cannot be changed
# in one transaction, so a migration that broke off is run again: each statement may be repeated.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        _unique("SchemaMigration", "number"),
        _unique("Counter", "name"),
        _unique("Company", "name"),
        _unique("CompanyRole", "role_id"),
        _unique("CompanyRole", "sequence"),
        _index("CompanyRole", "company_id", "list_key"),
        _index("CompanyRole", "list_key"),
        _index("CompanyRole", "role_name"),
        _index("CompanyRole", "state"),
        _unique("DraupRole", "key"),
        _index("JobDescription", "content_hash"),
        _unique("Assessment", "assessment_id"),
        _index("Assessment", "created_at"),
        _unique("Task", "key"),
        _unique("Skill", "name"),
        _unique("Push", "workflow_id"),
        _index("Push", "list_key"),
        _index("Push", "company_id", "list_key"),
        _index("Push", "role_id", "list_key"),
        _index("Push", "batch_id", "list_key"),
        _index("Push", "queued_at"),
        _unique("AuditEntry", "seq"),
        _index("AuditEntry", "company_id", "seq"),
    ),
    (
        # What counting by state takes. Whether inputs hold is right again at a role's next change.
        "MATCH (r:CompanyRole) WHERE r.inputs_hold IS NULL SET r.inputs_hold = true",
        "MATCH (r:CompanyRole)-[:CURRENT_ASSESSMENT]->(a:Assessment) "
        "WHERE r.assessor_key IS NULL SET r.assessor_key = a.assessor_key",
    ),
    (
        # What searching takes.
        "MATCH (r:CompanyRole) WHERE r.folded IS NULL SET r.folded = toLower(r.role_name), "
        "r.draup_folded = toLower(coalesce(r.draup_role, ''))",
        _index("CompanyRole", "company_id", "folded"),
    ),
)


async def version_of(session: AsyncSession) -> int:
    """The schema version of the database; 0 is an empty one."""
    result = await session.run("OPTIONAL MATCH (m:SchemaMigration) RETURN max(m.number) AS number")
    record = await result.single(strict=True)
    return int(record["number"] or 0)


async def migrate(driver: AsyncDriver, database: str) -> None:
    """Brings the database to the newest version; of several processes, each may try."""
    async with driver.session(database=database) as session:
        for number in range(await version_of(session) + 1, len(MIGRATIONS) + 1):
            for statement in MIGRATIONS[number - 1]:
                await session.execute_write(_run, statement)
            await (await session.run(f"CALL db.awaitIndexes({_INDEX_SECONDS})")).consume()
            await session.execute_write(
                _run,
                "MERGE (m:SchemaMigration {number: $number}) "
                "ON CREATE SET m.applied_at = datetime()",
                number=number,
            )


async def _run(tx: AsyncManagedTransaction, /, statement: str, **parameters: int) -> None:
    await (await tx.run(statement, parameters)).consume()
