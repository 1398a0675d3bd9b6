"""`etter status`: one push, one batch or one bulk operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from etter_dagster.cli.failures import DONE, FAILED, end
from etter_dagster.cli.service import Json, KeyFile, Url, connect

if TYPE_CHECKING:
    from etter_dagster.cli.calling import Service
    from etter_dagster.onboarding.status import StatusView
    from etter_dagster.onboarding.views import BatchView, OperationView


def status(
    id: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="What a push was answered with: role-onboard-..., batch-... or operation-...",
            show_default=False,
        ),
    ],
    watch: Annotated[
        bool, typer.Option("--watch", help="Follow it to its end; 1 unless all is ready.")
    ] = False,
    url: Url = None,
    key_file: KeyFile = None,
    json: Json = False,
) -> None:
    """Shows how far a push or a batch is."""
    with connect(url, key_file) as service:
        if id.startswith("batch-"):
            fine = _batch(service, id, watch=watch, json=json)
        elif id.startswith("operation-"):
            fine = _operation(service, id, watch=watch, json=json)
        else:
            fine = _push(service, id, watch=watch, json=json)
    end(DONE if fine or not watch else FAILED)


def _push(service: Service, workflow_id: str, *, watch: bool, json: bool) -> bool:
    from etter_dagster.cli.holding import tell_if_held
    from etter_dagster.cli.output import print_json
    from etter_dagster.cli.waiting import follow
    from etter_dagster.model.lifecycle import WorkflowState

    view = follow(service, workflow_id) if watch else service.status(workflow_id)
    print_json(view) if json else print_status(view)
    if view.status is WorkflowState.QUEUED:
        tell_if_held(service)
    return view.status is WorkflowState.READY


def print_status(view: StatusView) -> None:
    """A push with its steps.

    Args:
        view: Its status.
    """
    from etter_dagster.cli.output import print_facts, print_table

    waits = not view.status.terminal
    print_facts(
        [
            ("role", f"{view.role_name} of {view.company_id}"),
            ("status", view.status),
            ("position in queue", view.position_in_queue),
            ("seconds to go, about", view.estimated_duration_seconds if waits else None),
            ("queued", view.queued_at),
            ("started", view.started_at),
            ("completed", view.completed_at),
            ("dashboard", view.dashboard_url),
            ("error", f"{view.error.code}: {view.error.message}" if view.error else None),
            ("role id", view.role_id),
        ]
    )
    print_table(
        ["step", "status", "seconds", "error"],
        [
            [
                step.name,
                step.status,
                step.duration_ms / 1000 if step.duration_ms is not None else None,
                step.error_message,
            ]
            for step in view.progress.steps
        ],
    )


def _batch(service: Service, batch_id: str, *, watch: bool, json: bool) -> bool:
    from etter_dagster.cli.holding import tell_if_held
    from etter_dagster.cli.output import print_json
    from etter_dagster.cli.waiting import follow_batches
    from etter_dagster.model.lifecycle import WorkflowState

    view = follow_batches(service, [batch_id])[0] if watch else service.batch_status(batch_id)
    print_json(view) if json else _print_batch(view)
    if view.queued:
        tell_if_held(service)
    return all(role.status is WorkflowState.READY for role in view.roles)


def _print_batch(view: BatchView) -> None:
    from etter_dagster.cli.output import counted, print_table, say

    print_table(
        ["role", "company", "status", "workflow id", "error"],
        [
            [
                role.role_name,
                role.company_id,
                role.status,
                role.workflow_id,
                f"{role.error.code}: {role.error.message}" if role.error else None,
            ]
            for role in view.roles
        ],
    )
    counts = {
        name: getattr(view, name)
        for name in ("queued", "in_progress", "completed", "failed", "cancelled")
    }
    shown = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    say(f"{view.state}: {counted(view.total, 'role')}: {shown}")


def _operation(service: Service, operation_id: str, *, watch: bool, json: bool) -> bool:
    from etter_dagster.cli.output import print_json
    from etter_dagster.cli.waiting import follow_operation

    view = follow_operation(service, operation_id) if watch else service.operation(operation_id)
    print_json(view) if json else print_operation(view)
    return view.done == view.matched


def print_operation(view: OperationView) -> None:
    """A bulk operation with what it skipped.

    Args:
        view: How far it is.
    """
    from etter_dagster.cli.output import print_table, say

    if view.skipped:
        print_table(["skipped", "why"], [[s.workflow_id, s.reason] for s in view.skipped])
    skipped = f", {len(view.skipped)} skipped" if view.skipped else ""
    say(f"{view.kind} {view.state}: {view.done} of {view.matched} done{skipped}")
