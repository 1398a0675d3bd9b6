"""Every REST route as a function: what to send, and how the answer is read. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from etter_dagster.model.comparison import Comparison
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.push import Source, WorkflowOptions
from etter_dagster.onboarding.accept import Accepted
from etter_dagster.onboarding.documents import DocumentsView
from etter_dagster.onboarding.roles import AssessmentView, RoleView, UploadView
from etter_dagster.onboarding.status import StatusView
from etter_dagster.onboarding.views import (
    AssessmentsView,
    AuditPage,
    BatchAccepted,
    BatchRetried,
    BatchView,
    CompaniesView,
    HealthView,
    HistoryPage,
    OperationStarted,
    OperationView,
    PushesPage,
    RolesPage,
)

Answer = TypeVar("Answer")
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """One request; `also` are statuses beside 200 whose body is an answer and no error."""

    method: str
    path: str
    read: Callable[[Any], Answer]
    params: Json = field(default_factory=dict)
    json: Json | None = None
    form: Json | None = None
    files: Mapping[str, tuple[str, bytes]] | None = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    also: tuple[int, ...] = ()


def push(
    company_id: str,
    role_name: str,
    *,
    documents: Sequence[DocumentRef] = (),
    draup_role_id: str | None = None,
    draup_role_name: str | None = None,
    options: WorkflowOptions | None = None,
    created_by: str | None = None,
    use_mock: bool = False,
    idempotency_key: str | None = None,
) -> Call[Accepted]:
    """Queues a role; a ready and unchanged one is answered with `ready`.

    Args:
        company_id: The company's name.
        role_name: The role's name.
        documents: What describes the role, if Etter does not know it yet.
        draup_role_id: The Draup role's id.
        draup_role_name: The Draup role's name.
        options: What may be chosen.
        created_by: Who asks.
        use_mock: Assess with the built-in assessor, whatever is configured.
        idempotency_key: The same key within 24 h gets the first answer again.
    """
    body = {
        "company_id": company_id,
        "role_name": role_name,
        "documents": [document.model_dump(mode="json") for document in documents],
        "draup_role_id": draup_role_id,
        "draup_role_name": draup_role_name,
        "options": options.model_dump() if options else None,
        "created_by": created_by,
    }
    return Call(
        "POST",
        "/push",
        Accepted.model_validate,
        params={"use_mock": use_mock},
        json=_given(body),
        headers=_once(idempotency_key),
    )


def status(workflow_id: str) -> Call[StatusView]:
    """How far a push is."""
    return Call("GET", f"/status/{_segment(workflow_id)}", StatusView.model_validate)


def retry(workflow_id: str, *, idempotency_key: str | None = None) -> Call[Accepted]:
    """Pushes a failed or degraded role again; gives a new workflow id."""
    return Call(
        "POST",
        f"/retry/{_segment(workflow_id)}",
        Accepted.model_validate,
        headers=_once(idempotency_key),
    )


def cancel(workflow_id: str, *, idempotency_key: str | None = None) -> Call[StatusView]:
    """Cancels a queued push."""
    return Call(
        "POST",
        f"/cancel/{_segment(workflow_id)}",
        StatusView.model_validate,
        headers=_once(idempotency_key),
    )


def push_batch(
    company_id: str,
    roles: Sequence[Json],
    *,
    options: WorkflowOptions | None = None,
    created_by: str | None = None,
    use_mock: bool = False,
    idempotency_key: str | None = None,
) -> Call[BatchAccepted]:
    """Queues many roles; bad ones are in the answer and block nobody.

    Args:
        company_id: The company of roles that name none.
        roles: Each with `role_name` and what else a push has.
        options: For all of them.
        created_by: Who asks.
        use_mock: Assess with the built-in assessor, whatever is configured.
        idempotency_key: The same key within 24 h gets the first answer again.
    """
    body = {
        "company_id": company_id,
        "roles": list(roles),
        "options": options.model_dump() if options else None,
        "created_by": created_by,
    }
    return Call(
        "POST",
        "/push-batch",
        BatchAccepted.model_validate,
        params={"use_mock": use_mock},
        json=_given(body),
        headers=_once(idempotency_key),
    )


def push_csv(
    csv: str | bytes, *, use_mock: bool = False, idempotency_key: str | None = None
) -> Call[BatchAccepted]:
    """Queues the roles of a CSV with the header `company,role,draup_role,jd[,draup_role_id]`."""
    return Call(
        "POST",
        "/push-batch",
        BatchAccepted.model_validate,
        params={"use_mock": use_mock},
        content=csv.encode() if isinstance(csv, str) else csv,
        headers={"Content-Type": "text/csv", **_once(idempotency_key)},
    )


def batch_status(batch_id: str) -> Call[BatchView]:
    """How far a batch is."""
    return Call("GET", f"/batch-status/{_segment(batch_id)}", BatchView.model_validate)


def retry_failed(
    batch_id: str,
    *,
    workflow_ids: Sequence[str] | None = None,
    options: WorkflowOptions | None = None,
    idempotency_key: str | None = None,
) -> Call[BatchRetried]:
    """Pushes the failed roles of a batch again, or only some of them."""
    body = {
        "workflow_ids": list(workflow_ids) if workflow_ids is not None else None,
        "options": options.model_dump() if options else None,
    }
    return Call(
        "POST",
        f"/retry-failed/{_segment(batch_id)}",
        BatchRetried.model_validate,
        json=_given(body),
        headers=_once(idempotency_key),
    )


def companies() -> Call[CompaniesView]:
    """Companies with at least one role."""
    return Call("GET", "/companies", CompaniesView.model_validate)


def roles(
    company_name: str,
    *,
    state: RoleStatus | str | None = None,
    q: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Call[RolesPage]:
    """A page of a company's roles; `q` is a part of their or their Draup role's name."""
    params = {"state": _value(state), "q": q, "cursor": cursor, "limit": limit}
    return Call(
        "GET", f"/roles/{_segment(company_name)}", RolesPage.model_validate, params=_given(params)
    )


def put_role(
    company_name: str,
    role_name: str,
    *,
    draup_role_id: str | None = None,
    draup_role_name: str | None = None,
    documents: Sequence[DocumentRef] = (),
    created_by: str | None = None,
) -> Call[RoleView]:
    """Defines or mends a role without pushing it."""
    body = {
        "draup_role_id": draup_role_id,
        "draup_role_name": draup_role_name,
        "documents": [document.model_dump(mode="json") for document in documents],
        "created_by": created_by,
    }
    return Call(
        "PUT",
        f"/roles/{_segment(company_name)}/{_segment(role_name)}",
        RoleView.model_validate,
        json=_given(body),
    )


def assessment(role_id: str) -> Call[AssessmentView]:
    """The current assessment of a role."""
    return Call("GET", f"/assessments/{_segment(role_id)}", AssessmentView.model_validate)


def compare_assessments(
    role_id: str, *, before: str | None = None, after: str | None = None
) -> Call[Comparison]:
    """What changed between two assessments of a role, and why.

    Args:
        role_id: The role.
        before: An assessment's id; the one before `after`, if None.
        after: An assessment's id; the current one, if None.
    """
    return Call(
        "GET",
        f"/assessments/{_segment(role_id)}/compare",
        Comparison.model_validate,
        params=_given({"from": before, "to": after}),
    )


def documents(role_id: str) -> Call[DocumentsView]:
    """What is linked to a role, a job description also under the usual headings."""
    return Call("GET", f"/documents/{_segment(role_id)}", DocumentsView.model_validate)


def assessments(role_id: str) -> Call[AssessmentsView]:
    """All assessments of a role, newest first."""
    return Call(
        "GET",
        f"/assessments/{_segment(role_id)}",
        AssessmentsView.model_validate,
        params={"history": True},
    )


def upload_document(
    company_name: str,
    role_name: str,
    data: bytes,
    *,
    name: str,
    type: DocumentType = DocumentType.JOB_DESCRIPTION,
    created_by: str | None = None,
    idempotency_key: str | None = None,
) -> Call[UploadView]:
    """Links a file to a role and gives the text that was found in it. Nothing is queued.

    Args:
        company_name: The company's name.
        role_name: The role's name; a new one is created in `draft`.
        data: The file: PDF, DOCX, HTML, Markdown or text, at most 20 MiB.
        name: Its name, which says the format where its bytes do not.
        type: What it is.
        created_by: Who asks.
        idempotency_key: The same key within 24 h gets the first answer again.
    """
    return Call(
        "POST",
        f"/roles/{_segment(company_name)}/{_segment(role_name)}/documents",
        UploadView.model_validate,
        form=_given({"type": type.value, "created_by": created_by}),
        files={"file": (name, data)},
        headers=_once(idempotency_key),
    )


def history(company_id: str, *, cursor: str | None = None, limit: int = 50) -> Call[HistoryPage]:
    """A page of a company's pushes, newest first."""
    return Call(
        "GET",
        f"/history/{_segment(company_id)}",
        HistoryPage.model_validate,
        params=_given({"cursor": cursor, "limit": limit}),
    )


def audit(
    *, company_id: str | None = None, cursor: str | None = None, limit: int = 50
) -> Call[AuditPage]:
    """A page of the audit log, newest first."""
    params = {"company_id": company_id, "cursor": cursor, "limit": limit}
    return Call("GET", "/audit", AuditPage.model_validate, params=_given(params))


def pushes(
    *,
    company: str | None = None,
    state: Sequence[WorkflowState | str] | str | None = None,
    error_code: str | None = None,
    batch_id: str | None = None,
    source: Source | str | None = None,
    since: str | None = None,
    until: str | None = None,
    q: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Call[PushesPage]:
    """A page of the pushes that a filter meets, with counts."""
    chosen = _filter(company, state, error_code, batch_id, source, since, until, q)
    params = {**chosen, **_given({"cursor": cursor, "limit": limit})}
    return Call("GET", "/pushes", PushesPage.model_validate, params=params)


def retry_pushes(
    *,
    company: str | None = None,
    state: Sequence[WorkflowState | str] | str | None = None,
    error_code: str | None = None,
    batch_id: str | None = None,
    source: Source | str | None = None,
    since: str | None = None,
    until: str | None = None,
    q: str | None = None,
    dry_run: bool = False,
    idempotency_key: str | None = None,
) -> Call[OperationStarted]:
    """Retries all pushes that a filter meets, in the background."""
    chosen = _filter(company, state, error_code, batch_id, source, since, until, q)
    return _bulk("retry", chosen, dry_run, idempotency_key)


def cancel_pushes(
    *,
    company: str | None = None,
    state: Sequence[WorkflowState | str] | str | None = None,
    error_code: str | None = None,
    batch_id: str | None = None,
    source: Source | str | None = None,
    since: str | None = None,
    until: str | None = None,
    q: str | None = None,
    dry_run: bool = False,
    idempotency_key: str | None = None,
) -> Call[OperationStarted]:
    """Cancels all pushes that a filter meets, in the background."""
    chosen = _filter(company, state, error_code, batch_id, source, since, until, q)
    return _bulk("cancel", chosen, dry_run, idempotency_key)


def operation(operation_id: str) -> Call[OperationView]:
    """How far a bulk operation is."""
    return Call("GET", f"/operations/{_segment(operation_id)}", OperationView.model_validate)


def abort(operation_id: str) -> Call[OperationView]:
    """Stops a bulk operation; what is done stays done."""
    return Call("POST", f"/operations/{_segment(operation_id)}/abort", OperationView.model_validate)


def health() -> Call[HealthView]:
    """Whether the service can work; an unhealthy one is an answer too."""
    return Call("GET", "/health", HealthView.model_validate, also=(503,))


def _bulk(
    kind: str, chosen: Json, dry_run: bool, idempotency_key: str | None
) -> Call[OperationStarted]:
    return Call(
        "POST",
        f"/pushes/{kind}",
        OperationStarted.model_validate,
        json={**chosen, "dry_run": dry_run},
        headers=_once(idempotency_key),
    )


def _filter(
    company: str | None,
    state: Sequence[WorkflowState | str] | str | None,
    error_code: str | None,
    batch_id: str | None,
    source: Source | str | None,
    since: str | None,
    until: str | None,
    q: str | None,
) -> dict[str, Any]:
    states = [state] if isinstance(state, str) else state
    return _given(
        {
            "company": company,
            "state": [_value(one) for one in states] if states else None,
            "error_code": error_code,
            "batch_id": batch_id,
            "source": _value(source),
            "since": since,
            "until": until,
            "q": q,
        }
    )


def _value(text: RoleStatus | WorkflowState | Source | str | None) -> str | None:
    return text.value if isinstance(text, (RoleStatus, WorkflowState, Source)) else text


def _given(values: Json) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _once(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": key} if key is not None else {}


def _segment(text: str) -> str:
    return quote(text, safe="")
