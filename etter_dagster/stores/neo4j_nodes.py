"""Records as properties of nodes, and back.

A nested record stands whole in the property `body`, which is what Etter reads; the properties
beside it are made from it, for indexes and for people who query. Flat records have no `body`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from etter_dagster.model.assessment import AssessedTask, Assessment
from etter_dagster.model.documents import LinkedDocument
from etter_dagster.model.near_names import folded
from etter_dagster.model.push import Push
from etter_dagster.model.role import Role
from etter_dagster.model.skills import RoleSkill
from etter_dagster.stores.protocols import AuditEntry
from etter_dagster.stores.times import micros

Properties = dict[str, Any]


def role_properties(role: Role, fence: int) -> Properties:
    """Of a `CompanyRole`."""
    taxonomy, current = role.taxonomy, role.current
    return {
        "role_id": role.role_id,
        "company_id": role.company_id,
        "role_name": role.role_name,
        "folded": folded(role.role_name),
        "draup_folded": folded(role.inputs.draup_role),
        "list_key": role_key(role.role_name, role.role_id),
        "sequence": role.sequence,
        "fence": fence,
        "state": role.state.value,
        "draup_role": draup_key(role),
        "workflow_id": role.workflow_id,
        "final_score": current.final_score if current else None,
        "assessed_at": utc(current.basis.made_at) if current else None,
        "assessor_key": current.basis.assessor.key if current else None,
        "inputs_hold": role.inputs_hold,
        "occupation": taxonomy.occupation if taxonomy else None,
        "job_family": taxonomy.job_family if taxonomy else None,
        "created_at": utc(role.created_at),
        "updated_at": utc(role.updated_at),
        "body": role.model_dump_json(exclude={"sequence"}),
    }


def role_of(body: str, sequence: int) -> Role:
    """The role of these properties of its node."""
    return Role.model_validate_json(body).model_copy(update={"sequence": sequence})


def role_key(name: str, role_id: str) -> str:
    """A text whose order is that of (name, role id) in Python.

    Neo4j compares strings beyond U+FFFF one way in `<` and indexes, another in `ORDER BY`: a list
    that is continued by comparison would repeat a page for ever. One key in place of two is what
    the planner walks along an index, instead of sorting everything for each page.
    """
    return f"{name.encode('utf-8', 'surrogatepass').hex()}/{role_id}"


def push_key(queued_at: datetime, workflow_id: str = "") -> str:
    """A text whose order is that of (time, workflow id); without an id, it comes before them."""
    return f"{micros(queued_at):020d}/{workflow_id}"


def draup_key(role: Role) -> str | None:
    """What tells one Draup role from another: its name, else its id."""
    return role.draup_role_name or role.draup_role_id


def document_properties(document: LinkedDocument) -> Properties:
    """Of a `JobDescription` or `Document`."""
    return document.model_dump(mode="json") | {"linked_at": utc(document.linked_at)}


def document_of(node: Mapping[str, Any]) -> LinkedDocument:
    """The document of a node."""
    return LinkedDocument.model_validate(dict(node) | {"linked_at": node["linked_at"].to_native()})


def assessment_properties(assessment: Assessment) -> Properties:
    """Of an `Assessment`."""
    return {
        "assessment_id": assessment.assessment_id,
        "role_id": assessment.role_id,
        "workflow_id": assessment.workflow_id,
        "assessor": assessment.assessor.name,
        "assessor_key": assessment.assessor.key,
        "inputs_hash": assessment.inputs_hash,
        **assessment.scores.model_dump(),
        "final_score": assessment.scores.final_score,
        "summary": assessment.summary,
        "cost": assessment.cost,
        "created_at": utc(assessment.created_at),
        "body": assessment.model_dump_json(),
    }


def task_row(role_id: str, task: AssessedTask) -> Properties:
    """The key and text of a `Task`, which is a role's own, and what its `COVERS` says of it."""
    digest = hashlib.sha256(task.task.encode()).hexdigest()[:24]
    return {
        "key": f"{role_id}/{digest}",
        "text": task.task,
        "covers": task.model_dump(mode="json", exclude={"task"}),
    }


def skill_properties(skill: RoleSkill) -> Properties:
    """Of a `REQUIRES_SKILL`."""
    return skill.model_dump(mode="json", exclude={"name"})


def skill_of(row: Mapping[str, Any]) -> RoleSkill:
    """The skill of a row with its `name` and its relation's `properties`."""
    return RoleSkill.model_validate({"name": row["name"], **row["properties"]})


def push_properties(push: Push) -> Properties:
    """Of a `Push`."""
    return {
        "workflow_id": push.workflow_id,
        "role_id": push.role_id,
        "company_id": push.company_id,
        "role_name": push.role_name,
        "source": push.source.value,
        "status": push.status.value,
        "batch_id": push.batch_id,
        "error_code": push.error.code if push.error else None,
        "queued_at": utc(push.queued_at),
        "list_key": push_key(push.queued_at, push.workflow_id),
        "completed_at": utc(push.completed_at) if push.completed_at else None,
        "body": push.model_dump_json(),
    }


def audit_properties(entry: AuditEntry, seq: int) -> Properties:
    """Of an `AuditEntry`."""
    return {
        "seq": seq,
        "company_id": entry.company_id,
        "at": utc(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "target": entry.target,
        "body": entry.model_dump_json(),
    }


def utc(moment: datetime) -> datetime:
    """The same moment, as all times stand in the graph."""
    return moment.astimezone(timezone.utc)
