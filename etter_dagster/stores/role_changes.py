"""What each write does to a role, as pure functions: a held role in, the changed one out.

A store loads a `HeldRole` under its lock, applies a change, and saves the difference in the same
transaction. What a change refuses raises, and the held role stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from etter_dagster.model.assessment import Assessment
from etter_dagster.model.catalogue import KnownDocument, mapping_after, mapping_given
from etter_dagster.model.documents import DocumentType, LinkedDocument, documents_hash
from etter_dagster.model.errors import LeaseLost, NotFound
from etter_dagster.model.identity import normalize_name, role_id
from etter_dagster.model.lifecycle import RoleStatus, check_role_move
from etter_dagster.model.role import CurrentAssessment, Role
from etter_dagster.model.skills import RoleSkill
from etter_dagster.model.staleness import StaleReason, basis_of
from etter_dagster.model.taxonomy import TaxonomyEntry


@dataclass(frozen=True)
class HeldRole:
    """A role that nobody else can write meanwhile.

    `linked` are its linked documents, loaded only for a change that says it needs them;
    `assessments` are to be appended, `skills` (unless None) replace the role's.
    """

    role: Role
    fence: int = 0
    linked: tuple[LinkedDocument, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    skills: tuple[RoleSkill, ...] | None = None


@dataclass(frozen=True)
class RoleChange:
    """One write: what it does to which role.

    `act` gets None where the role is not known. `creates`: it may make the role;
    `reads_documents`: it needs `HeldRole.linked`; `size` is how many characters it may write.
    """

    role_id: str
    act: Callable[[HeldRole | None], HeldRole]
    creates: bool = False
    reads_documents: bool = False
    size: int = 0


def put(
    company_id: str,
    role_name: str,
    *,
    draup: Mapping[str, str | None],
    token: int | None,
    now: datetime,
) -> RoleChange:
    """Creates the role, or mends its Draup role as `mapping_given` says."""

    def act(held: HeldRole | None) -> HeldRole:
        if held is None:
            held = HeldRole(_new(company_id, role_name, now))
        return _saved(_fenced(held, token), now, **mapping_given(held.role, **draup))

    return RoleChange(role_id(company_id, role_name), act, creates=True)


def record(entry: TaxonomyEntry, now: datetime) -> RoleChange:
    """Records a taxonomy entry; the role takes its mapping over as `mapping_after` says."""

    def act(held: HeldRole | None) -> HeldRole:
        if held is None:
            held = HeldRole(_new(entry.company_name, entry.job_title, now))
        return _saved(held, now, taxonomy=entry, **mapping_after(held.role, entry))

    return RoleChange(role_id(entry.company_name, entry.job_title), act, creates=True)


def catalogue(rid: str, found: Sequence[KnownDocument], now: datetime) -> RoleChange:
    """Records what the document sources have."""

    def act(held: HeldRole | None) -> HeldRole:
        return _saved(_known(held, rid), now, catalogued=tuple(found))

    return RoleChange(rid, act)


def move(rid: str, target: RoleStatus, reasons: Sequence[StaleReason], now: datetime) -> RoleChange:
    """A settled move outside a push."""

    def act(held: HeldRole | None) -> HeldRole:
        found = _known(held, rid)
        check_role_move(rid, found.role.state, target)
        return _saved(found, now, state=target, stale_marks=tuple(reasons))

    return RoleChange(rid, act)


def settle(
    rid: str, outcome: RoleStatus, *, workflow_id: str, token: int | None, now: datetime
) -> RoleChange:
    """Processing to its outcome."""

    def act(held: HeldRole | None) -> HeldRole:
        found = _fenced(_known(held, rid), token)
        check_role_move(rid, RoleStatus.PROCESSING, outcome)
        return _saved(found, now, state=outcome, workflow_id=workflow_id, stale_marks=())

    return RoleChange(rid, act)


def link(rid: str, given: Sequence[LinkedDocument], token: int | None, now: datetime) -> RoleChange:
    """Links documents; what they replace is no longer linked."""

    def act(held: HeldRole | None) -> HeldRole:
        found = _fenced(_known(held, rid), token)
        linked = list(found.linked)
        for document in given:
            same_type = [old for old in linked if old.type is document.type]
            if any(old.content_hash == document.content_hash for old in same_type):
                continue
            is_jd = document.type is DocumentType.JOB_DESCRIPTION
            replaced = [old for old in same_type if is_jd or old.name == document.name]
            linked = [old for old in linked if old not in replaced] + [document]
        jds = [doc.content_hash for doc in linked if doc.type is DocumentType.JOB_DESCRIPTION]
        hashes = {"jd_hash": jds[0] if jds else "", "documents_hash": documents_hash(linked)}
        return replace(_saved(found, now, **hashes), linked=tuple(linked))

    size = sum(len(document.content) for document in given)
    return RoleChange(rid, act, reads_documents=True, size=size)


def assess(
    assessment: Assessment, *, current: bool, token: int | None, now: datetime
) -> RoleChange:
    """Appends an assessment, and makes it the current one."""
    rid = assessment.role_id

    def act(held: HeldRole | None) -> HeldRole:
        found = _fenced(_known(held, rid), token)
        found = replace(found, assessments=(*found.assessments, assessment))
        if not current:
            return found
        short = CurrentAssessment(
            assessment_id=assessment.assessment_id,
            final_score=assessment.scores.final_score,
            basis=basis_of(assessment),
            cost=assessment.cost,
        )
        return _saved(found, now, current=short)

    return RoleChange(rid, act)


def require_skills(rid: str, skills: Sequence[RoleSkill], token: int | None) -> RoleChange:
    """Replaces the role's skills."""

    def act(held: HeldRole | None) -> HeldRole:
        return replace(_fenced(_known(held, rid), token), skills=tuple(skills))

    return RoleChange(rid, act)


def restore(
    role: Role,
    linked: Sequence[LinkedDocument],
    assessments: Sequence[Assessment],
    skills: Sequence[RoleSkill],
) -> RoleChange:
    """Puts a role back as it was; one that has been worked on since is left as it is."""

    def act(held: HeldRole | None) -> HeldRole:
        if held is not None and held.role.workflow_id is not None:
            return held
        # `sequence` is the place in this graph, not in the one that the role comes from.
        sequence = held.role.sequence if held is not None else 0
        return HeldRole(
            role=role.model_copy(update={"sequence": sequence}),
            fence=held.fence if held is not None else 0,
            linked=tuple(linked),
            assessments=tuple(assessments),
            skills=tuple(skills),
        )

    return RoleChange(role.role_id, act, creates=True, reads_documents=True)


def _known(held: HeldRole | None, rid: str) -> HeldRole:
    if held is None:
        raise NotFound(rid)
    return held


def _fenced(held: HeldRole, token: int | None) -> HeldRole:
    """The role for a write under this token, which older tokens cannot follow."""
    if token is None:
        return held
    if token < held.fence:
        raise LeaseLost(held.role.role_id)
    return replace(held, fence=token)


def _saved(held: HeldRole, now: datetime, **changes: Any) -> HeldRole:
    """The role changed; `updated_at` moves only where something did."""
    changed = held.role.model_copy(update=changes)
    if changed == held.role:
        return held
    return replace(held, role=changed.model_copy(update={"updated_at": now}))


def _new(company_id: str, role_name: str, now: datetime) -> Role:
    company, name = normalize_name(company_id), normalize_name(role_name)
    return Role(
        role_id=role_id(company, name),
        company_id=company,
        role_name=name,
        created_at=now,
        updated_at=now,
    )
