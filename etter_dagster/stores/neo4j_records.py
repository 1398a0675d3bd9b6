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
    found, index, values = _found(where)
    if cursor:
        found += " AND p.list_key < $before"
        values["before"] = nodes.push_key(*read_push_cursor(cursor))
    # Ordered by the whole index, or the planner would sort.
    order = ", ".join(f"p.{name} DESC" for name in index)
    query = f"{found} RETURN p.body AS body ORDER BY {order} LIMIT $limit"
    bodies = await (await tx.run(query, values, limit=limit + 1)).value("body")
    items = tuple(Push.model_validate_json(body) for body in bodies[:limit])
    more = len(bodies) > limit and items
    return PushPage(items=items, next_cursor=push_cursor(items[-1]) if more else None)


async def counts_of(tx: AsyncManagedTransaction, where: PushFilter) -> PushCounts:
    """Counts over what `page_of` lists."""
    found, _, values = _found(where)
    query = f"{found} RETURN p.status AS status, p.error_code AS code, count(*) AS n"
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
    match companies:
        case None:
            index, order, company = "seq", "e.seq DESC", ""
        case [_]:
            index, order = "company_id, seq", "e.company_id DESC, e.seq DESC"
            company = "e.company_id = $companies[0] AND "
        case _:
            index, order, company = "seq", "e.seq DESC", "e.company_id IN $companies AND "
    query = (
        f"MATCH (e:AuditEntry) USING INDEX e:AuditEntry({index}) "
        f"WHERE {company}e.seq < $before "
        f"RETURN e.seq AS seq, e.body AS body ORDER BY {order} LIMIT $limit"
    )
    before = _audit_cursor(cursor)
    given = None if companies is None else list(companies)
    result = await tx.run(query, before=before, companies=given, limit=limit + 1)
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


def _found(where: PushFilter) -> tuple[str, list[str], dict[str, Any]]:
    """Finds the pushes `p` of a filter along the index that leaves the fewest; gives its columns.

    The planner would choose by what the graph held when it last looked.
    """
    one_company = where.companies is not None and len(where.companies) == 1
    states = None if where.states is None else [state.value for state in where.states]
    tests = {
        "p.role_id = $role_id": where.role_id,
        "p.batch_id = $batch_id": where.batch_id,
        "p.company_id = $company_id": where.companies[0]
        if where.companies and one_company
        else None,
        "p.company_id IN $companies": (
            None if where.companies is None or one_company else list(where.companies)
        ),
        "p.status IN $states": states,
        "p.error_code = $error_code": where.error_code,
        "p.source = $source": where.source.value if where.source else None,
        "p.list_key >= $since": nodes.push_key(where.since) if where.since else "",
        "p.list_key < $until": nodes.push_key(where.until) if where.until else None,
        "toLower(p.role_name + ' ' + p.company_id + ' ' + p.workflow_id) CONTAINS toLower($q)": (
            where.q or None
        ),
    }
    used = {test: value for test, value in tests.items() if value is not None}
    values = {test.rpartition("$")[2].rstrip(")"): value for test, value in used.items()}
    narrow = [name for name in ("role_id", "batch_id", "company_id") if name in values]
    index = [*narrow[:1], "list_key"]
    hint = f"USING INDEX p:Push({', '.join(index)})"
    return f"MATCH (p:Push) {hint} WHERE {' AND '.join(used)}", index, values
