"""History and audit in Neo4j: pushes and entries that are appended, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neo4j import AsyncManagedTransaction

from etter_dagster.model.errors import FieldProblem, ValidationFailed
from etter_dagster.model.push import Push
from etter_dagster.stores import neo4j_nodes as nodes
from etter_dagster.stores.neo4j_roles import next_of
from etter_dagster.stores.protocols import (
    AuditEntry,
    PushCounts,
    PushFilter,
    PushPage,
    push_cursor,
    read_push_cursor,
)

_APPEND_PUSHES = """
UNWIND $rows AS row
MERGE (p:Push {workflow_id: row.workflow_id})
ON CREATE SET p = row, p.fresh = true
WITH p WHERE p.fresh
REMOVE p.fresh
WITH p
MATCH (r:CompanyRole {role_id: p.role_id})
CREATE (r)-[:HAD_PUSH]->(p)
"""
_APPEND_AUDIT = "UNWIND $rows AS row CREATE (e:AuditEntry) SET e = row"


async def append_pushes(tx: AsyncManagedTransaction, pushes: Sequence[Push]) -> None:
    """Appends; a workflow id that is there already stays as it is."""
    ordered = sorted(pushes, key=lambda push: (push.role_id, push.workflow_id))
    rows = [nodes.push_properties(push) for push in ordered]
    await (await tx.run(_APPEND_PUSHES, rows=rows)).consume()


async def page_of(
    tx: AsyncManagedTransaction, where: PushFilter, cursor: str | None, limit: int
) -> PushPage:
    """A page, newest first."""
    clause, values = _clause(where)
    if cursor:
        queued_at, workflow_id = read_push_cursor(cursor)
        values |= {"at": nodes.utc(queued_at), "workflow_id": workflow_id}
        clause += " AND p.queued_at <= $at AND (p.queued_at < $at OR p.workflow_id < $workflow_id)"
    query = (
        f"MATCH (p:Push) WHERE {clause} RETURN p.body AS body "
        "ORDER BY p.queued_at DESC, p.workflow_id DESC LIMIT $limit"
    )
    bodies = await (await tx.run(query, values, limit=limit + 1)).value("body")
    items = tuple(Push.model_validate_json(body) for body in bodies[:limit])
    more = len(bodies) > limit and items
    return PushPage(items=items, next_cursor=push_cursor(items[-1]) if more else None)


async def counts_of(tx: AsyncManagedTransaction, where: PushFilter) -> PushCounts:
    """Counts over what `page_of` lists."""
    clause, values = _clause(where)
    query = (
        f"MATCH (p:Push) WHERE {clause} "
        "RETURN p.status AS status, p.error_code AS code, count(*) AS n"
    )
    by_state: dict[str, int] = {}
    by_code: dict[str, int] = {}
    async for row in await tx.run(query, values):
        by_state[row["status"]] = by_state.get(row["status"], 0) + row["n"]
        if row["code"]:
            by_code[row["code"]] = by_code.get(row["code"], 0) + row["n"]
    return PushCounts(total=sum(by_state.values()), by_state=by_state, by_error_code=by_code)


async def append_audit(tx: AsyncManagedTransaction, entries: Sequence[AuditEntry]) -> None:
    """Appends, numbered in the order of commits."""
    last = await next_of(tx, "audit", len(entries))
    rows = [nodes.audit_properties(entry, last + n) for n, entry in enumerate(entries, start=1)]
    await (await tx.run(_APPEND_AUDIT, rows=rows)).consume()


async def audit_page(
    tx: AsyncManagedTransaction, companies: Sequence[str] | None, cursor: str | None, limit: int
) -> tuple[list[AuditEntry], str | None]:
    """Newest first, with the cursor of the next page."""
    before = _audit_cursor(cursor)
    clause = "" if companies is None else " AND e.company_id IN $companies"
    query = (
        f"MATCH (e:AuditEntry) WHERE e.seq < $before{clause} "
        "RETURN e.seq AS seq, e.body AS body ORDER BY seq DESC LIMIT $limit"
    )
    result = await tx.run(query, before=before, companies=companies, limit=limit + 1)
    rows = await result.fetch(limit + 1)
    found = [AuditEntry.model_validate_json(row["body"]) for row in rows[:limit]]
    return found, str(rows[limit - 1]["seq"]) if len(rows) > limit else None


def _audit_cursor(cursor: str | None) -> int:
    if not cursor:
        return 2**63 - 1
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise ValidationFailed(
            FieldProblem("cursor", "is not one of ours; leave it out to start over")
        )
    return int(cursor)


def _clause(where: PushFilter) -> tuple[str, dict[str, Any]]:
    """The condition of a filter; a query that names `queued_at` can go along its index."""
    states = None if where.states is None else [state.value for state in where.states]
    tests = {
        "p.status IN $states": states,
        "p.error_code = $error_code": where.error_code,
        "p.batch_id = $batch_id": where.batch_id,
        "p.source = $source": where.source.value if where.source else None,
        "p.role_id = $role_id": where.role_id,
        "p.queued_at >= $since": nodes.utc(where.since) if where.since else None,
        "p.queued_at < $until": nodes.utc(where.until) if where.until else None,
        "toLower(p.role_name + ' ' + p.company_id + ' ' + p.workflow_id) CONTAINS toLower($q)": (
            where.q or None
        ),
    }
    if where.companies is not None and len(where.companies) == 1:
        tests["p.company_id = $company"] = where.companies[0]
    elif where.companies is not None:
        tests["p.company_id IN $companies"] = list(where.companies)
    used = {test: value for test, value in tests.items() if value is not None}
    values = {test.rpartition("$")[2].rstrip(")"): value for test, value in used.items()}
    return " AND ".join(["p.queued_at IS NOT NULL", *used]), values
