"""Roles, their documents, assessments and skills in the embedded graph, inside a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from etter_dagster.model.assessment import Assessment
from etter_dagster.model.catalogue import KnownDocument, mapping_after
from etter_dagster.model.documents import DocumentType, LinkedDocument, documents_hash
from etter_dagster.model.errors import LeaseLost, NotFound
from etter_dagster.model.identity import normalize_name, role_id
from etter_dagster.model.lifecycle import RoleStatus, check_role_move
from etter_dagster.model.role import CurrentAssessment, Role
from etter_dagster.model.skills import RoleSkill, most_exposed_first
from etter_dagster.model.staleness import StaleReason, basis_of
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.stores.sqlite_push_rows import rows_in
from etter_dagster.stores.times import micros

SELECT = "SELECT sequence, body FROM roles"
_SKILLS = TypeAdapter(list[RoleSkill])


def role_of(row: sqlite3.Row) -> Role:
    """The role of a row of `SELECT`."""
    return Role.model_validate_json(row["body"]).model_copy(update={"sequence": row["sequence"]})


def find(connection: sqlite3.Connection, rid: str) -> Role | None:
    """A role, or None."""
    row = connection.execute(f"{SELECT} WHERE role_id = ?", (rid,)).fetchone()
    return role_of(row) if row else None


def fenced(connection: sqlite3.Connection, rid: str, token: int | None) -> Role:
    """The role, for a write under this token, which older tokens cannot follow.

    Raises:
        NotFound: Unknown role.
        LeaseLost: A newer token was here.
    """
    row = connection.execute(
        "SELECT sequence, fence, body FROM roles WHERE role_id = ?", (rid,)
    ).fetchone()
    if row is None:
        raise NotFound(rid)
    if token is not None:
        if token < row["fence"]:
            raise LeaseLost(rid)
        if token > row["fence"]:
            connection.execute("UPDATE roles SET fence = ? WHERE role_id = ?", (token, rid))
    return role_of(row)


def save(connection: sqlite3.Connection, role: Role, now: datetime, **changes: Any) -> Role:
    """Writes a changed role; nothing is written where nothing changes."""
    changed = role.model_copy(update=changes)
    if changed == role:
        return role
    changed = changed.model_copy(update={"updated_at": now})
    connection.execute(
        "UPDATE roles SET state = ?, body = ? WHERE role_id = ?",
        (changed.state.value, _body(changed), role.role_id),
    )
    return changed


def put(
    connection: sqlite3.Connection,
    company_id: str,
    role_name: str,
    *,
    draup_role_id: str | None,
    draup_role_name: str | None,
    token: int | None,
    now: datetime,
) -> Role:
    """Creates or mends a role."""
    draup = {"draup_role_id": draup_role_id, "draup_role_name": draup_role_name}
    given = {name: value for name, value in draup.items() if value is not None}
    rid = role_id(company_id, role_name)
    if find(connection, rid) is None:
        _create(connection, company_id, role_name, now, given)
    return save(connection, fenced(connection, rid, token), now, **given)


def put_taxonomy(
    connection: sqlite3.Connection, entries: Sequence[TaxonomyEntry], now: datetime
) -> list[str]:
    """Records entries; gives the ids of new roles."""
    ids = [role_id(entry.company_name, entry.job_title) for entry in entries]
    known = by_id(connection, ids)
    new = []
    for rid, entry in zip(ids, entries, strict=True):
        changes: dict[str, Any] = {"taxonomy": entry}
        role = known.get(rid)
        if role is None:
            changes |= {
                "draup_role_id": entry.draup_role_id,
                "draup_role_name": entry.draup_role,
            }
            known[rid] = _create(connection, entry.company_name, entry.job_title, now, changes)
            new.append(rid)
            continue
        changes |= mapping_after(role, entry)
        known[rid] = save(connection, role, now, **changes)
    return new


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
    for rid, role in by_id(connection, found).items():
        save(connection, role, now, catalogued=tuple(found[rid]))


def by_id(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, Role]:
    """Many roles; unknown ids are absent."""
    rows = rows_in(connection, f"{SELECT} WHERE role_id IN", ids)
    return {role.role_id: role for role in map(role_of, rows)}


def move(
    connection: sqlite3.Connection,
    rid: str,
    target: RoleStatus,
    reasons: Sequence[StaleReason],
    now: datetime,
) -> Role:
    """A settled move outside a push."""
    role = fenced(connection, rid, None)
    check_role_move(rid, role.state, target)
    return save(connection, role, now, state=target, stale_marks=tuple(reasons))


def settle(
    connection: sqlite3.Connection,
    rid: str,
    outcome: RoleStatus,
    *,
    workflow_id: str,
    token: int | None,
    now: datetime,
) -> Role:
    """Processing to its outcome."""
    role = fenced(connection, rid, token)
    check_role_move(rid, RoleStatus.PROCESSING, outcome)
    return save(connection, role, now, state=outcome, workflow_id=workflow_id, stale_marks=())


def link(
    connection: sqlite3.Connection,
    rid: str,
    given: Sequence[LinkedDocument],
    token: int | None,
    now: datetime,
) -> Role:
    """Links documents; what they replace stays, unlinked."""
    role = fenced(connection, rid, token)
    for document in given:
        linked = documents(connection, rid)
        same_type = [old for old in linked if old.type is document.type]
        if any(old.content_hash == document.content_hash for old in same_type):
            continue
        replaced = [
            old
            for old in same_type
            if document.type is DocumentType.JOB_DESCRIPTION or old.name == document.name
        ]
        for old in replaced:
            connection.execute(
                "UPDATE documents SET linked = 0 WHERE role_id = ? AND type = ? AND name = ? "
                "AND content_hash = ?",
                (rid, old.type.value, old.name or "", old.content_hash),
            )
        connection.execute(
            "INSERT INTO documents (role_id, type, name, content_hash, body) "
            "VALUES (?, ?, ?, ?, ?)",
            (
                rid,
                document.type.value,
                document.name or "",
                document.content_hash,
                document.model_dump_json(),
            ),
        )
    linked = documents(connection, rid)
    jds = [doc.content_hash for doc in linked if doc.type is DocumentType.JOB_DESCRIPTION]
    return save(
        connection,
        role,
        now,
        jd_hash=jds[0] if jds else "",
        documents_hash=documents_hash(linked),
    )


def documents(connection: sqlite3.Connection, rid: str) -> list[LinkedDocument]:
    """What is linked now, the JD first."""
    rows = connection.execute(
        "SELECT body FROM documents WHERE role_id = ? AND linked = 1 "
        "ORDER BY type != 'job_description', seq",
        (rid,),
    )
    return [LinkedDocument.model_validate_json(row["body"]) for row in rows]


def add_assessment(
    connection: sqlite3.Connection,
    assessment: Assessment,
    *,
    current: bool,
    token: int | None,
    now: datetime,
) -> None:
    """Appends, and makes it the current one."""
    role = fenced(connection, assessment.role_id, token)
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
    if current:
        save(
            connection,
            role,
            now,
            current=CurrentAssessment(
                assessment_id=assessment.assessment_id,
                final_score=assessment.scores.final_score,
                basis=basis_of(assessment),
                cost=assessment.cost,
            ),
        )


def put_skills(
    connection: sqlite3.Connection, rid: str, skills: Sequence[RoleSkill], token: int | None
) -> None:
    """Replaces the role's skills."""
    fenced(connection, rid, token)
    connection.execute(
        "INSERT OR REPLACE INTO skills VALUES (?, ?)",
        (rid, _SKILLS.dump_json(list(skills)).decode()),
    )


def skills(connection: sqlite3.Connection, rid: str) -> list[RoleSkill]:
    """By falling exposure, then name."""
    row = connection.execute("SELECT body FROM skills WHERE role_id = ?", (rid,)).fetchone()
    return most_exposed_first(_SKILLS.validate_json(row["body"]) if row else [])


def _create(
    connection: sqlite3.Connection,
    company_id: str,
    role_name: str,
    now: datetime,
    changes: dict[str, Any],
) -> Role:
    company, name = normalize_name(company_id), normalize_name(role_name)
    role = Role(
        role_id=role_id(company, name),
        company_id=company,
        role_name=name,
        created_at=now,
        updated_at=now,
    ).model_copy(update=changes)
    added = connection.execute(
        "INSERT INTO roles (role_id, company_id, role_name, state, body) VALUES (?, ?, ?, ?, ?)",
        (role.role_id, company, name, role.state.value, _body(role)),
    )
    return role.model_copy(update={"sequence": added.lastrowid or 0})


def _body(role: Role) -> str:
    return role.model_dump_json(exclude={"sequence"})
