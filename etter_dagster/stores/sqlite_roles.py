"""Roles in the embedded graph, inside a transaction: loaded, changed by `role_changes`, saved."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from etter_dagster.model.assessment import Assessment
from etter_dagster.model.catalogue import KnownDocument
from etter_dagster.model.documents import LinkedDocument
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.near_names import folded
from etter_dagster.model.role import Role
from etter_dagster.model.skills import RoleSkill, most_exposed_first
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.stores import role_changes as changes
from etter_dagster.stores.role_changes import HeldRole, RoleChange
from etter_dagster.stores.sqlite_push_rows import rows_in
from etter_dagster.stores.times import micros

SELECT = "SELECT sequence, body FROM roles"
_COUNT_STATES = """
SELECT CASE WHEN state IN ('ready', 'degraded') AND assessed_at IS NOT NULL
    AND (NOT inputs_hold OR assessor_key != ? OR assessed_at < ?)
  THEN 'stale' ELSE state END AS shown, count(*) AS n
FROM roles INDEXED BY roles_counted
WHERE company_id = ? AND role_id NOT IN (SELECT value FROM json_each(?))
GROUP BY shown
"""
_SKILLS = TypeAdapter(list[RoleSkill])


def apply(connection: sqlite3.Connection, change: RoleChange) -> Role:
    """Makes a change; the transaction holds off all others."""
    before = _hold(connection, change)
    after = change.act(before)
    role = _save_role(connection, before, after)
    _save_documents(connection, role.role_id, before.linked if before else (), after.linked)
    for assessment in after.assessments:
        _append(connection, assessment)
    if after.skills is not None:
        connection.execute(
            "INSERT OR REPLACE INTO skills VALUES (?, ?)",
            (role.role_id, _SKILLS.dump_json(list(after.skills)).decode()),
        )
    return role


def put_taxonomy(
    connection: sqlite3.Connection, entries: Sequence[TaxonomyEntry], now: datetime
) -> list[str]:
    """Records entries; gives the ids of new roles."""
    ids = [role_id(entry.company_name, entry.job_title) for entry in entries]
    known = by_id(connection, ids)
    for entry in entries:
        apply(connection, changes.record(entry, now))
    return [rid for rid in dict.fromkeys(ids) if rid not in known]


def knows_all(connection: sqlite3.Connection, entries: Sequence[TaxonomyEntry]) -> bool:
    """Whether recording these entries would change nothing."""
    ids = [role_id(entry.company_name, entry.job_title) for entry in entries]
    known = by_id(connection, ids)
    return all(
        rid in known and known[rid].taxonomy == entry
        for rid, entry in zip(ids, entries, strict=True)
    )


def put_catalogue(
    connection: sqlite3.Connection, found: Mapping[str, Sequence[KnownDocument]], now: datetime
) -> None:
    """Records what the document sources have."""
    for rid in by_id(connection, found):
        apply(connection, changes.catalogue(rid, found[rid], now))


def find(connection: sqlite3.Connection, rid: str) -> Role | None:
    """A role, or None."""
    row = connection.execute(f"{SELECT} WHERE role_id = ?", (rid,)).fetchone()
    return role_of(row) if row else None


def by_id(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, Role]:
    """Many roles; unknown ids are absent."""
    rows = rows_in(connection, f"{SELECT} WHERE role_id IN", ids)
    return {role.role_id: role for role in map(role_of, rows)}


def role_of(row: sqlite3.Row) -> Role:
    """The role of a row of `SELECT`."""
    return Role.model_validate_json(f'{row["body"][:-1]},"sequence":{row["sequence"]}}}')


def listed(
    connection: sqlite3.Connection, company_id: str | None, q: str, after: str, limit: int
) -> list[Role]:
    """In order of role name, then id."""
    name, _, rid = after.partition("\0")
    where, values = _searched(company_id, q)
    rows = connection.execute(
        f"{SELECT} WHERE (role_name, role_id) > (?, ?){where} ORDER BY role_name, role_id LIMIT ?",
        (name, rid, *values, limit),
    )
    return [role_of(row) for row in rows]


def count(connection: sqlite3.Connection, company_id: str | None, q: str) -> int:
    """How many `listed` lists."""
    where, values = _searched(company_id, q)
    found = connection.execute(f"SELECT count(*) FROM roles WHERE 1{where}", values).fetchone()
    return int(found[0])


def _searched(company_id: str | None, q: str) -> tuple[str, list[str]]:
    where, values = "", []
    if company_id is not None:
        where, values = " AND company_id = ?", [company_id]
    if q := folded(q):
        where += " AND (instr(folded, ?) OR instr(draup_folded, ?))"
        values += [q, q]
    return where, values


def same_names(
    connection: sqlite3.Connection, company_id: str, role_names: Iterable[str]
) -> list[str]:
    """Names that are one of these but for case and white space."""
    query = "SELECT role_name FROM roles WHERE company_id = ? AND folded IN"
    rows = rows_in(connection, query, map(folded, role_names), given=(company_id,))
    return [row["role_name"] for row in rows]


def count_states(
    connection: sqlite3.Connection,
    company_id: str,
    assessor_key: str,
    not_before: datetime,
    without: Sequence[str],
) -> dict[RoleStatus, int]:
    """How many roles of a company are in each settled state, staleness taken in."""
    values = (assessor_key, micros(not_before), company_id, json.dumps(list(without)))
    return {RoleStatus(row["shown"]): row["n"] for row in connection.execute(_COUNT_STATES, values)}


def documents(connection: sqlite3.Connection, rid: str) -> list[LinkedDocument]:
    """What is linked now, the JD first."""
    rows = connection.execute(
        "SELECT body FROM documents WHERE role_id = ? AND linked = 1 "
        "ORDER BY type != 'job_description', seq",
        (rid,),
    )
    return [LinkedDocument.model_validate_json(row["body"]) for row in rows]


def skills(connection: sqlite3.Connection, rid: str) -> list[RoleSkill]:
    """By falling exposure, then name."""
    row = connection.execute("SELECT body FROM skills WHERE role_id = ?", (rid,)).fetchone()
    return most_exposed_first(_SKILLS.validate_json(row["body"]) if row else [])


def _hold(connection: sqlite3.Connection, change: RoleChange) -> HeldRole | None:
    row = connection.execute(
        "SELECT sequence, fence, body FROM roles WHERE role_id = ?", (change.role_id,)
    ).fetchone()
    if row is None:
        return None
    linked = documents(connection, change.role_id) if change.reads_documents else []
    return HeldRole(role_of(row), row["fence"], tuple(linked))


def _save_role(connection: sqlite3.Connection, before: HeldRole | None, after: HeldRole) -> Role:
    role = after.role
    if before is None:
        added = connection.execute(
            "INSERT INTO roles (role_id, company_id, role_name, state, fence, inputs_hold, "
            "assessor_key, assessed_at, folded, draup_folded, body) VALUES (:role_id, "
            ":company_id, :role_name, :state, :fence, :inputs_hold, :assessor_key, :assessed_at, "
            ":folded, :draup_folded, :body)",
            _values(after),
        )
        return role.model_copy(update={"sequence": added.lastrowid or 0})
    if (before.role, before.fence) != (role, after.fence):
        connection.execute(
            "UPDATE roles SET state = :state, fence = :fence, inputs_hold = :inputs_hold, "
            "assessor_key = :assessor_key, assessed_at = :assessed_at, "
            "draup_folded = :draup_folded, body = :body WHERE role_id = :role_id",
            _values(after),
        )
    return role


def _values(held: HeldRole) -> dict[str, Any]:
    role = held.role
    basis = role.current.basis if role.current else None
    return {
        "role_id": role.role_id,
        "company_id": role.company_id,
        "role_name": role.role_name,
        "state": role.state.value,
        "fence": held.fence,
        "inputs_hold": role.inputs_hold,
        "assessor_key": basis.assessor.key if basis else None,
        "assessed_at": micros(basis.made_at) if basis else None,
        "folded": folded(role.role_name),
        "draup_folded": folded(role.inputs.draup_role),
        "body": role.model_dump_json(exclude={"sequence"}),
    }


def _save_documents(
    connection: sqlite3.Connection,
    rid: str,
    before: Sequence[LinkedDocument],
    after: Sequence[LinkedDocument],
) -> None:
    """Links what is new; what it replaces stays, unlinked."""
    for old in (document for document in before if document not in after):
        connection.execute(
            "UPDATE documents SET linked = 0 WHERE role_id = ? AND type = ? AND name = ? "
            "AND content_hash = ?",
            (rid, old.type.value, old.name or "", old.content_hash),
        )
    for new in (document for document in after if document not in before):
        connection.execute(
            "INSERT INTO documents (role_id, type, name, content_hash, body) "
            "VALUES (?, ?, ?, ?, ?)",
            (rid, new.type.value, new.name or "", new.content_hash, new.model_dump_json()),
        )


def _append(connection: sqlite3.Connection, assessment: Assessment) -> None:
    connection.execute(
        "INSERT INTO assessments (assessment_id, role_id, inputs_hash, assessor_key, created_at, "
        "body) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (assessment_id) DO NOTHING",
        (
            assessment.assessment_id,
            assessment.role_id,
            assessment.inputs_hash,
            assessment.assessor.key,
            micros(assessment.created_at),
            assessment.model_dump_json(),
        ),
    )
