"""Pushing one role."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from etter_dagster.cli.calling import Service
from etter_dagster.cli.failures import DONE, FAILED, end
from etter_dagster.cli.files import read_text
from etter_dagster.cli.holding import tell_if_held
from etter_dagster.cli.output import clean, print_facts, print_json, say, tell
from etter_dagster.cli.service import connect, user
from etter_dagster.cli.waiting import follow
from etter_dagster.client import calls
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import EtterError, FieldProblem, ValidationFailed
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import WorkflowOptions
from etter_dagster.onboarding.accept import Accepted
from etter_dagster.onboarding.status import StatusView


def push_role(
    company: str,
    role: str,
    *,
    documents: Sequence[Path],
    draup_role: str | None,
    force: bool,
    wait: bool,
    url: str | None,
    key_file: Path | None,
    json: bool,
) -> None:
    """Pushes a role and, if asked to, waits for its end.

    Args:
        company: The company's name.
        role: The role's name.
        documents: Files that describe it, perhaps with their kind before a `=`.
        draup_role: The Draup role's name.
        force: Assess again, even if nothing has changed.
        wait: Whether to wait.
        url: Where the service is.
        key_file: Where the key is.
        json: Whether to print JSON.
    """
    texts = [_document(given) for given in documents]
    with connect(url, key_file) as service:
        call = calls.push(
            company,
            role,
            documents=texts,
            draup_role_name=draup_role,
            options=WorkflowOptions(force_rerun=force),
            created_by=user(),
            idempotency_key=uuid4().hex,
        )
        accepted = service.send_patiently(call)
        if not wait:
            _print_accepted(accepted, json)
            if not accepted.status.terminal:
                tell_if_held(service)
            return
        if not json:
            say(clean(accepted.message))
        view = follow(service, accepted.workflow_id)
        print_json(view) if json else print_outcome(view, _score(service, view))
    end(DONE if view.status is WorkflowState.READY else FAILED)


def _document(given: Path) -> DocumentRef:
    kind, separator, name = str(given).partition("=")
    kinds = {kind.value: kind for kind in DocumentType}
    if separator and kind in kinds:
        path, document_type = Path(name), kinds[kind]
    elif separator and kind.isidentifier() and not given.exists():
        what = f"'{kind}' is no kind of document; give one of {', '.join(kinds)}, or FILE alone"
        raise ValidationFailed(FieldProblem("--document", what))
    else:
        path, document_type = given, DocumentType.JOB_DESCRIPTION
    text = read_text(path, field="--document")
    return DocumentRef(type=document_type, content=text, name=clean(path.name))


def _print_accepted(accepted: Accepted, json: bool) -> None:
    if json:
        print_json(accepted)
        return
    tell(accepted.workflow_id)
    say(clean(accepted.message))
    if accepted.position_in_queue is not None:
        say(
            f"position {accepted.position_in_queue}, about {accepted.estimated_duration_seconds} s;"
            f" follow it with: etter status {accepted.workflow_id} --watch"
        )


def _score(service: Service, view: StatusView) -> float | None:
    if view.status not in (WorkflowState.READY, WorkflowState.DEGRADED):
        return None
    try:
        return service.assessment(view.role_id).scores.final_score
    except EtterError as error:
        say(clean(error.message))
        return None


def print_outcome(view: StatusView, score: float | None) -> None:
    """How a push ended.

    Args:
        view: Its status.
        score: The role's final score, if it has one.
    """
    print_facts(
        [
            ("role", f"{view.role_name} of {view.company_id}"),
            ("status", view.status),
            ("score", score),
            ("dashboard", view.dashboard_url),
            ("error", f"{view.error.code}: {view.error.message}" if view.error else None),
            ("role id", view.role_id),
            ("workflow id", view.workflow_id),
        ]
    )
