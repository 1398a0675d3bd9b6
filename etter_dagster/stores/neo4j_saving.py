"""Writes what changed of held roles: one UNWIND for each kind of node or relation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from neo4j import AsyncManagedTransaction

from etter_dagster.model.documents import DocumentType, LinkedDocument
from etter_dagster.model.role import Role
from etter_dagster.stores import neo4j_nodes as nodes
from etter_dagster.stores.role_changes import HeldRole

Rows = list[dict[str, Any]]

_CREATE_ROLES = """
UNWIND $rows AS row
MERGE (c:Company {name: row.company_id})
CREATE (c)-[:HAS_ROLE]->(r:CompanyRole)
SET r = row.properties
"""
_UPDATE_ROLES = """
UNWIND $rows AS row
MATCH (r:CompanyRole {role_id: row.role_id}) USING INDEX r:CompanyRole(role_id)
SET r += row.properties
"""
_MAP = """
UNWIND $rows AS row
MATCH (r:CompanyRole {role_id: row.role_id}) USING INDEX r:CompanyRole(role_id)
OPTIONAL MATCH (r)-[old:MAPS_TO]->()
DELETE old
WITH DISTINCT r, row
WHERE row.key IS NOT NULL
MERGE (d:DraupRole {key: row.key})
SET d.name = coalesce(row.name, d.name), d.draup_role_id = coalesce(row.id, d.draup_role_id)
CREATE (r)-[:MAPS_TO]->(d)
"""
_UNLINK = """
UNWIND $rows AS row
MATCH (:CompanyRole {role_id: row.role_id})-[l:HAS_JOB_DESCRIPTION|HAS_DOCUMENT]->(d)
WHERE d.type = row.type AND d.content_hash = row.content_hash
  AND coalesce(d.name, '') = coalesce(row.name, '')
WITH l, d, startNode(l) AS r
CREATE (r)-[:HAD_DOCUMENT {position: l.position, until: datetime()}]->(d)
DELETE l
"""
_LINK_JD = """
UNWIND $rows AS row
MATCH (r:CompanyRole {role_id: row.role_id}) USING INDEX r:CompanyRole(role_id)
CREATE (r)-[:HAS_JOB_DESCRIPTION {position: row.position}]->(d:JobDescription)
SET d = row.properties
"""
_LINK_OTHER = """
UNWIND $rows AS row
MATCH (r:CompanyRole {role_id: row.role_id}) USING INDEX r:CompanyRole(role_id)
CREATE (r)-[:HAS_DOCUMENT {position: row.position}]->(d:Document)
SET d = row.properties
"""
_KNOWN_ASSESSMENTS = """
MATCH (a:Assessment) WHERE a.assessment_id IN $ids RETURN a.assessment_id AS id
"""
_ADD_ASSESSMENTS = """
UNWIND $rows AS row
MATCH (r:CompanyRole {role_id: row.role_id}) USING INDEX r:CompanyRole(role_id)
WITH r, row, COUNT { (r)-[:HAS_ASSESSMENT]->() } AS position
CREATE (r)-[:HAS_ASSESSMENT {position: position}]->(a:Assessment)
SET a = row.properties
WITH r, a, row
UNWIND row.tasks AS task
MERGE (t:Task {key: task.key}) ON CREATE SET t.text = task.text, t.role_id = row.role_id
CREATE (a)-[c:COVERS]->(t)
SET c = task.covers
"""
_MAKE_CURRENT = """
UNWIND $rows AS row
MATCH (r:CompanyRole {role_id: row.role_id}) USING INDEX r:CompanyRole(role_id)
OPTIONAL MATCH (r)-[old:CURRENT_ASSESSMENT]->()
DELETE old
WITH DISTINCT r, row
MATCH (a:Assessment {assessment_id: row.assessment_id})
CREATE (r)-[:CURRENT_ASSESSMENT]->(a)
"""
_DROP_SKILLS = """
UNWIND $rows AS row
MATCH (:CompanyRole {role_id: row.role_id})-[old:REQUIRES_SKILL]->(s)
WHERE NOT s.name IN row.names
DELETE old
"""
_REQUIRE_SKILLS = """
UNWIND $rows AS row
MATCH (r:CompanyRole {role_id: row.role_id}) USING INDEX r:CompanyRole(role_id)
MERGE (s:Skill {name: row.name})
MERGE (r)-[l:REQUIRES_SKILL]->(s)
SET l = row.properties
"""


async def save(
    tx: AsyncManagedTransaction, before: Mapping[str, HeldRole], after: Mapping[str, HeldRole]
) -> None:
    """Writes the difference between roles as they were loaded and as they are to be."""
    roles = [after[rid] for rid in sorted(after)]
    await _save_nodes(tx, before, roles)
    await _save_documents(tx, before, roles)
    await _save_assessments(tx, before, roles)
    await _save_skills(tx, [held for held in roles if held.skills is not None])


async def _save_nodes(
    tx: AsyncManagedTransaction, before: Mapping[str, HeldRole], roles: Iterable[HeldRole]
) -> None:
    created: Rows = []
    updated: Rows = []
    mapped: Rows = []
    for held in roles:
        role, old = held.role, before.get(held.role.role_id)
        if old is not None and (old.role, old.fence) == (role, held.fence):
            continue
        row = {
            "role_id": role.role_id,
            "company_id": role.company_id,
            "properties": nodes.role_properties(role, held.fence),
        }
        (created if old is None else updated).append(row)
        if _draup(role) != (_draup(old.role) if old else (None, None)):
            name, draup_id = _draup(role)
            key = nodes.draup_key(role)
            mapped.append({"role_id": role.role_id, "key": key, "name": name, "id": draup_id})
    await _run(tx, _CREATE_ROLES, sorted(created, key=lambda row: str(row["company_id"])))
    await _run(tx, _UPDATE_ROLES, updated)
    await _run(tx, _MAP, sorted(mapped, key=lambda row: str(row["key"])))


async def _save_documents(
    tx: AsyncManagedTransaction, before: Mapping[str, HeldRole], roles: Iterable[HeldRole]
) -> None:
    unlinked: Rows = []
    jds: Rows = []
    others: Rows = []
    for held in roles:
        old = before.get(held.role.role_id)
        linked = old.linked if old else ()
        for document in linked:
            if document not in held.linked:
                unlinked.append(_row(held, document))
        for position, document in enumerate(held.linked):
            if document not in linked:
                is_jd = document.type is DocumentType.JOB_DESCRIPTION
                row = _row(held, document) | {"position": len(linked) + position}
                (jds if is_jd else others).append(row)
    await _run(tx, _UNLINK, unlinked)
    await _run(tx, _LINK_JD, jds)
    await _run(tx, _LINK_OTHER, others)


async def _save_assessments(
    tx: AsyncManagedTransaction, before: Mapping[str, HeldRole], roles: Iterable[HeldRole]
) -> None:
    rows: dict[str, dict[str, Any]] = {}
    current: Rows = []
    for held in roles:
        rid, old = held.role.role_id, before.get(held.role.role_id)
        for assessment in held.assessments:
            rows.setdefault(
                assessment.assessment_id,
                {
                    "role_id": rid,
                    "properties": nodes.assessment_properties(assessment),
                    "tasks": [nodes.task_row(rid, task) for task in assessment.tasks],
                },
            )
        now = held.role.current
        if now is not None and (old is None or old.role.current != now):
            current.append({"role_id": rid, "assessment_id": now.assessment_id})
    if rows:
        known = await (await tx.run(_KNOWN_ASSESSMENTS, ids=list(rows))).value("id")
        await _run(tx, _ADD_ASSESSMENTS, [row for id_, row in rows.items() if id_ not in known])
    await _run(tx, _MAKE_CURRENT, current)


async def _save_skills(tx: AsyncManagedTransaction, roles: Iterable[HeldRole]) -> None:
    kept: Rows = []
    wanted: Rows = []
    for held in roles:
        rid, skills = held.role.role_id, held.skills or ()
        kept.append({"role_id": rid, "names": [skill.name for skill in skills]})
        wanted += [
            {"role_id": rid, "name": skill.name, "properties": nodes.skill_properties(skill)}
            for skill in skills
        ]
    await _run(tx, _DROP_SKILLS, kept)
    await _run(tx, _REQUIRE_SKILLS, sorted(wanted, key=lambda row: str(row["name"])))


def _draup(role: Role) -> tuple[str | None, str | None]:
    return role.draup_role_name, role.draup_role_id


def _row(held: HeldRole, document: LinkedDocument) -> dict[str, Any]:
    return {
        "role_id": held.role.role_id,
        "type": document.type.value,
        "name": document.name,
        "content_hash": document.content_hash,
        "properties": nodes.document_properties(document),
    }


async def _run(tx: AsyncManagedTransaction, query: str, rows: Rows) -> None:
    if rows:
        await (await tx.run(query, rows=rows)).consume()
