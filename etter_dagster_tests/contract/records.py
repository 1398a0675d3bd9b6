"""Records that the contract tests put into stores."""

from __future__ import annotations

from datetime import datetime, timezone

from etter_dagster.model.assessment import (
    Assessment,
    AssessmentInputs,
    AssessorInfo,
    Scores,
    assessment_id,
)
from etter_dagster.model.claim_order import Lane
from etter_dagster.model.documents import DocumentType, LinkedDocument, text_hash
from etter_dagster.model.identity import new_workflow_id, role_id
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push, PushError, PushRequest, Source
from etter_dagster.stores.protocols import Finish, NewPush

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=timezone.utc)
ASSESSOR = AssessorInfo(name="exposure", model="m", version="1")


def new_push(
    role_name: str = "Analyst",
    company_id: str = "Acme",
    *,
    lane: Lane = Lane.INTERACTIVE,
    workflow_id: str | None = None,
    queued_at: datetime = NOW,
    batch_id: str | None = None,
    source: Source = Source.REST,
) -> NewPush:
    rid = role_id(company_id, role_name)
    return NewPush(
        push=Push(
            workflow_id=workflow_id or new_workflow_id(),
            role_id=rid,
            company_id=company_id,
            role_name=role_name,
            source=source,
            lane=lane,
            queued_at=queued_at,
            batch_id=batch_id,
            assessor="exposure",
        ),
        request=PushRequest(company_id=company_id, role_name=role_name, role_id=rid),
    )


def ended(
    status: WorkflowState = WorkflowState.READY,
    *,
    at: datetime = NOW,
    code: str | None = None,
) -> Finish:
    return Finish(
        status=status,
        steps=(),
        completed_at=at,
        error=PushError(code=code, message="it failed") if code else None,
        ai_automation_score=40.0 if status is WorkflowState.READY else None,
    )


def document(
    text: str = "Prepare reports",
    kind: DocumentType = DocumentType.JOB_DESCRIPTION,
    name: str | None = None,
) -> LinkedDocument:
    digest = text_hash(text)
    return LinkedDocument(
        document_id=f"doc-{kind.value}-{digest[:24]}",
        type=kind,
        name=name,
        content=text,
        content_hash=digest,
        linked_at=NOW,
    )


def assessment(
    rid: str,
    *,
    workflow_id: str = "role-onboard-000000000001",
    jd_hash: str = "a",
    at: datetime = NOW,
    score: float = 40.0,
) -> Assessment:
    inputs = AssessmentInputs(role_id=rid, jd_hash=jd_hash, documents_hash="", draup_role="D")
    return Assessment(
        assessment_id=assessment_id(workflow_id, inputs.inputs_hash, ASSESSOR),
        role_id=rid,
        workflow_id=workflow_id,
        assessor=ASSESSOR,
        inputs=inputs,
        inputs_hash=inputs.inputs_hash,
        scores=Scores(
            ai_automation_score=score,
            ai_automation_potential_score=score,
            ai_augmentation_potential_score=0,
        ),
        created_at=at,
    )
