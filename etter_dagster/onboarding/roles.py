"""Roles and assessments as the surfaces show them, and defining a role without pushing it."""

from __future__ import annotations

import base64
import contextlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from etter_dagster.model.assessment import AssessedTask, Assessment, AssessorInfo
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import FieldProblem, IllegalMove, NotFound, ValidationFailed
from etter_dagster.model.identity import is_role_id, name_problem, normalize_name, role_id
from etter_dagster.model.lifecycle import RoleStatus, shown_state
from etter_dagster.model.push import Push
from etter_dagster.model.role import Role
from etter_dagster.model.staleness import StaleReason, oldest_that_holds
from etter_dagster.onboarding.check import check_sizes, with_text
from etter_dagster.onboarding.role_setup import linked_documents
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.stale import mark_stale, reasons_now, settled_state
from etter_dagster.stores.protocols import list_key

_PAGE = 500


class RoleView(BaseModel):
    """A row of `GET /roles/{company_name}`."""

    model_config = ConfigDict(frozen=True)

    role_id: str
    job_id: str | None
    job_title: str
    job_role: str | None
    draup_role: str | None
    occupation: str | None
    job_family: str | None
    status: str | None
    state: RoleStatus
    ai_automation_score: float | None
    assessed_at: datetime | None
    stale_reasons: tuple[StaleReason, ...]
    workflow_id: str | None


class UploadView(BaseModel):
    """The body of `POST /roles/{company_name}/{role_name}/documents`."""

    model_config = ConfigDict(frozen=True)

    role_id: str
    state: RoleStatus
    document_id: str
    type: DocumentType
    name: str | None
    content: str = Field(description="The text that was found, as Markdown where it has structure.")
    content_hash: str


class ScoresView(BaseModel):
    """Scores with the final one."""

    model_config = ConfigDict(frozen=True)

    ai_automation_score: float
    ai_automation_potential_score: float
    ai_augmentation_potential_score: float
    validated_ai_automation_score: float | None
    final_score: float


class AssessmentView(BaseModel):
    """The body of `GET /assessments/{role_id}`."""

    model_config = ConfigDict(frozen=True)

    assessment_id: str
    role_id: str
    assessor: AssessorInfo
    inputs_hash: str
    scores: ScoresView
    tasks: tuple[AssessedTask, ...]
    summary: str
    created_at: datetime
    run_id: str | None
    cost: float | None
    stale: bool
    stale_reasons: tuple[StaleReason, ...]


async def list_roles(
    services: Services,
    company: str,
    *,
    state: RoleStatus | None = None,
    q: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[RoleView], int, str | None]:
    """A page of a company's roles in order of name.

    Args:
        services: Stores.
        company: The company's name; an unknown one has no roles.
        state: Only roles that show this state.
        q: Only roles with this in their name or their Draup role's, whatever its case and spaces.
        cursor: What the page before gave.
        limit: At most so many rows.

    Returns:
        The rows, the number of all that match, and the next page's cursor.

    Raises:
        ValidationFailed: The cursor is not ours.
    """
    company = normalize_name(company)
    after, q = _decode(cursor), normalize_name(q or "")
    if state is None:
        page = await services.graph.roles(company, q=q, after=after, limit=limit + 1)
        total = await services.graph.count_roles(company, q=q)
        views = await _views(services, page)
    else:
        page, views, total = await _in_state(services, company, state, q, after)
    more = len(views) > limit
    return views[:limit], total, _encode(list_key(page[limit - 1])) if more else None


async def role_view(services: Services, rid: str) -> RoleView:
    """One role.

    Raises:
        NotFound: Unknown id.
    """
    role = await services.graph.role(rid)
    if role is None:
        raise NotFound(rid, "list the company's roles with GET /roles/{company_name}")
    return (await _views(services, [role]))[0]


async def assessment_view(services: Services, rid: str) -> AssessmentView:
    """The role's current assessment.

    Raises:
        NotFound: Unknown role, or it was never assessed.
    """
    role = await services.graph.role(rid)
    found = await services.graph.current_assessment(rid) if role else None
    if role is None or found is None:
        raise NotFound(f"an assessment of {rid}", "push the role first")
    return _assessment_view(services, role, found)


async def assessment_history(services: Services, rid: str) -> list[AssessmentView]:
    """All assessments of a role, newest first.

    Raises:
        NotFound: Unknown role, or it was never assessed.
    """
    role = await services.graph.role(rid)
    found = await services.graph.assessments(rid) if role else []
    if role is None or not found:
        raise NotFound(f"an assessment of {rid}", "push the role first")
    return [_assessment_view(services, role, one) for one in found]


async def define_role(
    services: Services,
    company: str,
    role_name: str,
    *,
    draup_role_id: str | None = None,
    draup_role_name: str | None = None,
    documents: Sequence[DocumentRef] = (),
) -> RoleView:
    """Creates a role in `draft`, or mends its Draup role and documents; nothing is queued.

    Raises:
        ValidationFailed: A name is wrong, or a document has no content and no `uri` to read.
    """
    company, role_name = normalize_name(company), normalize_name(role_name)
    named = [("company_name", company), ("role_name", role_name)]
    draup = [("draup_role_id", draup_role_id), ("draup_role_name", draup_role_name)]
    named += [(field, normalize_name(text)) for field, text in draup if text]
    problems = [problem for field, text in named if (problem := name_problem(field, text))]
    problems += [
        FieldProblem(f"documents[{index}].content", "is empty; give the document's text or a uri")
        for index, document in enumerate(documents)
        if not (document.uri or (document.content and document.content.strip()))
    ]
    check_sizes(documents)
    if problems:
        raise ValidationFailed(*problems)
    documents = await with_text(services, company, documents)
    role = await services.graph.put_role(
        company,
        role_name,
        draup_role_id=normalize_name(draup_role_id) if draup_role_id else None,
        draup_role_name=normalize_name(draup_role_name) if draup_role_name else None,
    )
    rid = role_id(company, role_name)
    if documents:
        await services.graph.link_documents(rid, linked_documents(documents, services.clock()))
    if role.state is RoleStatus.VALIDATION_ERROR and (
        draup_role_id or draup_role_name or documents
    ):
        with contextlib.suppress(IllegalMove):  # a push has been faster
            await services.graph.move_role(rid, RoleStatus.DRAFT)
    await mark_stale(services, [rid])  # Dagster is told of roles that are marked
    return await role_view(services, rid)


async def upload_document(
    services: Services, company: str, role_name: str, document: DocumentRef
) -> UploadView:
    """Links a document to a role, which is created in `draft` if it is new; nothing is queued.

    Raises:
        ValidationFailed: A name is wrong.
    """
    view = await define_role(services, company, role_name, documents=[document])
    (linked,) = linked_documents([document], services.clock())
    return UploadView(
        role_id=view.role_id, state=view.state, **linked.model_dump(exclude={"linked_at"})
    )


async def states_of(services: Services, company: str) -> Counter[RoleStatus]:
    """How many roles of a company show each state.

    Args:
        services: Stores.
        company: The company's name.
    """
    company = normalize_name(company)
    active = await services.queue.active_of(company)
    counts = Counter(RoleStatus(state.value) for state in active.values())
    settled = await services.graph.count_states(
        company,
        assessor_key=services.assessors.configured.info.key,
        not_before=oldest_that_holds(services.clock(), services.settings.max_assessment_age_days),
        without=list(active),
    )
    return counts + Counter(settled)


async def _in_state(
    services: Services, company: str, state: RoleStatus, q: str, after: str
) -> tuple[list[Role], list[RoleView], int]:
    """Roles that show a state; it is derived, so all that a search means are looked at."""
    roles: list[Role] = []
    views: list[RoleView] = []
    total = 0
    before = ""
    while page := await services.graph.roles(company, q=q, after=before, limit=_PAGE):
        before = list_key(page[-1])
        for role, view in zip(page, await _views(services, page), strict=True):
            if view.state is not state:
                continue
            total += 1
            if list_key(role) > after:
                roles.append(role)
                views.append(view)
    return roles, views, total


async def _views(services: Services, roles: Sequence[Role]) -> list[RoleView]:
    active = await services.queue.active([role.role_id for role in roles])
    return [_role_view(services, role, active.get(role.role_id)) for role in roles]


def _role_view(services: Services, role: Role, active: Push | None) -> RoleView:
    settled, reasons = settled_state(services, role)
    entry = role.taxonomy
    return RoleView(
        role_id=role.role_id,
        job_id=entry.job_id if entry else None,
        job_title=role.role_name,
        job_role=entry.job_role if entry else None,
        draup_role=role.draup_role_name or role.draup_role_id,
        occupation=entry.occupation if entry else None,
        job_family=entry.job_family if entry else None,
        status=entry.status if entry else None,
        state=shown_state(settled, active.status if active else None),
        ai_automation_score=role.current.final_score if role.current else None,
        assessed_at=role.current.basis.made_at if role.current else None,
        stale_reasons=reasons,
        workflow_id=active.workflow_id if active else role.workflow_id,
    )


def _assessment_view(services: Services, role: Role, found: Assessment) -> AssessmentView:
    current = role.current is not None and role.current.assessment_id == found.assessment_id
    reasons = reasons_now(services, role) if current else ()
    if current and role.state is RoleStatus.STALE:
        reasons = reasons or role.stale_marks
    return AssessmentView(
        **found.model_dump(include=set(AssessmentView.model_fields) - {"scores"}),
        scores=ScoresView(**found.scores.model_dump(), final_score=found.scores.final_score),
        stale=bool(reasons) or (current and role.state is RoleStatus.STALE),
        stale_reasons=reasons,
    )


def _encode(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _decode(cursor: str | None) -> str:
    if not cursor:
        return ""
    try:
        key = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
        _, rid = key.split("\0")
        if not is_role_id(rid):
            raise ValueError(rid)
        return key
    except ValueError:
        raise ValidationFailed(
            FieldProblem("cursor", "is not one of ours; leave it out to start over")
        ) from None
