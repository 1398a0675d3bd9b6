"""Answers that are made of several records: pages of lists, batches, operations.

Shapes only, as `REST` gives them and the client reads them; what fills them stands next to it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push, PushError, Source
from etter_dagster.onboarding.roles import AssessmentView, RoleView


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class CompaniesView(_View):
    """Companies that have at least one role."""

    companies: tuple[str, ...]
    total_count: int


class RolesPage(_View):
    """A page of a company's roles, by name; `total_count` counts all that match."""

    company_name: str
    roles: tuple[RoleView, ...]
    total_count: int
    next_cursor: str | None = None


class AssessmentsView(_View):
    """All assessments of a role, newest first."""

    assessments: tuple[AssessmentView, ...]


class PushItem(_View):
    """One push in a list."""

    workflow_id: str
    role_id: str
    company_id: str
    role_name: str
    status: WorkflowState
    source: Source
    batch_id: str | None = None
    created_by: str | None = None
    queued_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    attempts: int = 0
    ai_automation_score: float | None = None
    error: PushError | None = None

    @classmethod
    def of(cls, push: Push) -> PushItem:
        """The push's row."""
        return cls(**push.model_dump(include=set(cls.model_fields)))


class HistoryPage(_View):
    """A company's pushes, newest first."""

    items: tuple[PushItem, ...]
    next_cursor: str | None = None


class PushesPage(_View):
    """Pushes that a filter meets, newest first, with counts over all of them."""

    items: tuple[PushItem, ...]
    total_count: int
    by_state: dict[str, int]
    by_error_code: dict[str, int]
    next_cursor: str | None = None


class AuditItem(_View):
    """Who did what, when, to what; `actor` is the API key's id."""

    at: datetime
    actor: str
    created_by: str | None = None
    action: str
    company_id: str | None = None
    target: str
    detail: dict[str, Any] = Field(default_factory=dict)


class AuditPage(_View):
    """Entries of the audit log, newest first."""

    items: tuple[AuditItem, ...]
    next_cursor: str | None = None


class Rejected(_View):
    """A role of a batch that was not queued; `index` is its place in what was sent, from 0."""

    index: int
    role_name: str | None
    error: str
    message: str


class BatchAccepted(_View):
    """What became of a batch: the ids of what was taken, and what was not, with the reason."""

    batch_id: str
    total_roles: int
    workflow_ids: tuple[str, ...]
    rejected: tuple[Rejected, ...] = ()
    status: WorkflowState
    estimated_duration_seconds: int
    message: str


class BatchRole(_View):
    """One role of a batch, by its newest attempt."""

    role_name: str
    company_id: str
    role_id: str
    workflow_id: str
    status: WorkflowState
    error: PushError | None
    dashboard_url: str | None


class BatchView(_View):
    """How far a batch is; `total` counts what was accepted."""

    batch_id: str
    company_id: str
    total: int
    queued: int
    in_progress: int
    completed: int
    failed: int
    cancelled: int
    state: str
    progress_percent: float
    success_rate: float | None
    created_at: datetime
    roles: tuple[BatchRole, ...]


class BatchRetried(_View):
    """What `retry-failed` queued again."""

    batch_id: str
    retried_count: int
    new_workflow_ids: tuple[str, ...]
    message: str


class OperationStarted(_View):
    """A bulk operation that was begun; with `dry_run` it has no id and only counts."""

    operation_id: str | None
    matched: int
    state: str


class SkippedPush(_View):
    """A push that a bulk operation left as it was."""

    workflow_id: str
    reason: str


class OperationView(_View):
    """How far a bulk operation is: `running`, `completed` or `aborted`."""

    operation_id: str
    kind: str
    state: str
    matched: int
    done: int
    skipped: tuple[SkippedPush, ...] = ()
    new_workflow_ids: tuple[str, ...] = Field(
        default=(), description="Of a retry that no longer runs: the pushes that it made."
    )
    created_by: str | None = None
    created_at: datetime


class HealthView(_View):
    """Whether the service can work, part by part."""

    status: str
    version: str
    timestamp: datetime
    components: dict[str, str]
