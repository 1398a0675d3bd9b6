"""`etter retry` and `etter cancel`: one push, a batch, or all pushes that a filter meets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from etter_dagster.cli.failures import DONE, FAILED, end
from etter_dagster.cli.naming import require_company
from etter_dagster.cli.service import Json, KeyFile, Url, connect
from etter_dagster.model.errors import FieldProblem, ValidationFailed
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Source

if TYPE_CHECKING:
    from etter_dagster.cli.calling import Service

_TIME = "RFC 3339, or how long ago: 90s, 30m, 24h, 7d, 2w."
_SHOWN = 50

Id = Annotated[
    str | None,
    typer.Argument(
        metavar="ID",
        help="A push (role-onboard-...) or a batch (batch-...); without it, give a filter.",
        show_default=False,
    ),
]
Company = Annotated[
    str | None, typer.Option(metavar="NAME", help="Of this company.", show_default=False)
]
State = Annotated[
    list[WorkflowState] | None,
    typer.Option(
        metavar="STATE",
        help=f"In this state; may be repeated: {', '.join(WorkflowState)}.",
        show_default=False,
    ),
]
ErrorOf = Annotated[
    str | None,
    typer.Option("--error-code", metavar="CODE", help="Failed with this code.", show_default=False),
]
BatchId = Annotated[
    str | None,
    typer.Option("--batch-id", metavar="BATCH", help="Of this batch.", show_default=False),
]
SourceOf = Annotated[
    Source | None,
    typer.Option(
        "--source",
        metavar="SOURCE",
        help=f"Asked for there: {', '.join(Source)}.",
        show_default=False,
    ),
]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help=f"Queued since then: {_TIME}", show_default=False),
]
Until = Annotated[
    str | None,
    typer.Option(metavar="TIME", help=f"Queued until then: {_TIME}", show_default=False),
]
Query = Annotated[
    str | None,
    typer.Option("--q", metavar="TEXT", help="Part of the role's name.", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show which pushes it would be.")]


def retry(
    id: Id = None,
    company: Company = None,
    state: State = None,
    error_code: ErrorOf = None,
    batch_id: BatchId = None,
    source: SourceOf = None,
    since: Since = None,
    until: Until = None,
    q: Query = None,
    dry_run: DryRun = False,
    url: Url = None,
    key_file: KeyFile = None,
    json: Json = False,
) -> None:
    """Pushes failed or degraded roles again.

    A filter that names no state means the failed ones.
    """
    where = _filter(company, state, error_code, batch_id, source, since, until, q)
    _act("retry", id, where, WorkflowState.FAILED, dry_run, url, key_file, json)


def cancel(
    id: Id = None,
    company: Company = None,
    state: State = None,
    error_code: ErrorOf = None,
    batch_id: BatchId = None,
    source: SourceOf = None,
    since: Since = None,
    until: Until = None,
    q: Query = None,
    dry_run: DryRun = False,
    url: Url = None,
    key_file: KeyFile = None,
    json: Json = False,
) -> None:
    """Cancels queued pushes.

    A filter that names no state means the queued ones.
    """
    where = _filter(company, state, error_code, batch_id, source, since, until, q)
    _act("cancel", id, where, WorkflowState.QUEUED, dry_run, url, key_file, json)


def _filter(
    company: str | None,
    state: list[WorkflowState] | None,
    error_code: str | None,
    batch_id: str | None,
    source: Source | None,
    since: str | None,
    until: str | None,
    q: str | None,
) -> dict[str, Any]:
    given = {
        "company": company,
        "state": state or None,
        "error_code": error_code,
        "batch_id": batch_id,
        "source": source,
        "since": since,
        "until": until,
        "q": q,
    }
    return {name: value for name, value in given.items() if value is not None}


def _act(
    kind: str,
    id: str | None,
    where: dict[str, Any],
    usual: WorkflowState,
    dry_run: bool,
    url: str | None,
    key_file: Path | None,
    json: bool,
) -> None:
    if (id is None) == (not where):
        what = "not both" if id else "one of them"
        raise ValidationFailed(FieldProblem("ID", f"give an ID or a filter, {what}"))
    if id is not None and id.startswith("batch-"):
        id, where = None, {"batch_id": id}
    with connect(url, key_file) as service:
        if id is not None:
            fine = _one(service, kind, id, dry_run, json)
        else:
            if company := where.get("company"):
                require_company(service, company)
            where.setdefault("state", [usual])
            fine = (_list if dry_run else _many)(service, kind, where, json)
    end(DONE if fine else FAILED)


def _one(service: Service, kind: str, workflow_id: str, dry_run: bool, json: bool) -> bool:
    from etter_dagster.cli.output import clean, print_json, say, tell
    from etter_dagster.cli.status import print_status

    if dry_run:
        view = service.status(workflow_id)
        print_json(view) if json else print_status(view)
        possible = {
            "retry": (WorkflowState.FAILED, WorkflowState.DEGRADED),
            "cancel": (WorkflowState.QUEUED,),
        }[kind]
        verb = "can" if view.status in possible else "cannot"
        say(f"it is {view.status.value}: {kind} {verb} be done")
        return view.status in possible
    if kind == "cancel":
        view = service.cancel(workflow_id, idempotency_key=uuid4().hex)
        print_json(view) if json else print_status(view)
        return True
    accepted = service.retry(workflow_id, idempotency_key=uuid4().hex)
    if json:
        print_json(accepted)
    else:
        tell(accepted.workflow_id)
        say(clean(accepted.message))
        say(f"follow it with: etter status {accepted.workflow_id} --watch")
    return True


def _list(service: Service, kind: str, where: dict[str, Any], json: bool) -> bool:
    from etter_dagster.cli.output import counted, print_json, print_table, say

    page = service.pushes(**where, limit=_SHOWN)
    if json:
        print_json(page)
        return True
    print_table(
        ["role", "company", "status", "queued", "workflow id", "error"],
        [
            [
                push.role_name,
                push.company_id,
                push.status,
                push.queued_at,
                push.workflow_id,
                f"{push.error.code}: {push.error.message}" if push.error else None,
            ]
            for push in page.items
        ],
    )
    more = f", the newest {len(page.items)} are shown" if page.next_cursor else ""
    pushes = counted(page.total_count, "push", "pushes")
    say(f"{kind} would act on {pushes}{more}")
    return True


def _many(service: Service, kind: str, where: dict[str, Any], json: bool) -> bool:
    """Follows the operation to its end: what was skipped is part of the answer."""
    from etter_dagster.cli.output import counted, print_json, say, tell
    from etter_dagster.cli.status import print_operation
    from etter_dagster.cli.waiting import follow_operation

    begin = service.retry_pushes if kind == "retry" else service.cancel_pushes
    started = begin(**where, idempotency_key=uuid4().hex)
    assert started.operation_id is not None  # only a dry run has none
    view = follow_operation(service, started.operation_id)
    if json:
        print_json(view)
    else:
        print_operation(view)
        pushes = counted(view.done, "push", "pushes")
        if kind == "cancel":
            say(f"{pushes} cancelled")
        else:
            for workflow_id in view.new_workflow_ids:
                tell(workflow_id)
            say(f"{pushes} queued again; `etter roles COMPANY` shows how the roles are")
    return view.done == view.matched
