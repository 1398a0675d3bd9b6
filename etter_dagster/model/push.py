"""A push: one request to onboard or re-assess one role, with its progress and outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

from pydantic import BaseModel, ConfigDict, Field

from etter_dagster.model.claim_order import Lane
from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.errors import ErrorCode
from etter_dagster.model.lifecycle import WorkflowState

MAX_LEASES = 3  # leases that may be lost before a push is given up


class Source(str, Enum):
    """Who asked for a push."""

    REST = "rest"
    BATCH = "batch"
    CLI = "cli"
    PAGE = "page"
    GRAPHQL = "graphql"
    DAGSTER = "dagster"
    TAXONOMY = "taxonomy"
    DOCUMENT = "document"
    NIGHTLY = "nightly"
    LIBRARY = "library"


LANE_OF: dict[Source, Lane] = {
    Source.BATCH: Lane.BULK,
    Source.TAXONOMY: Lane.BULK,
    Source.DOCUMENT: Lane.BACKGROUND,
    Source.NIGHTLY: Lane.BACKGROUND,
}  # all others: interactive


class WorkflowOptions(BaseModel):
    """What a caller may choose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    skip_enhancement_workflows: bool = False
    force_rerun: bool = False
    notify_on_complete: bool = True


class StepStatus(str, Enum):
    """Where a step is."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


class StepProgress(BaseModel):
    """One step of a push; `duration_ms` counts all its attempts."""

    model_config = ConfigDict(frozen=True)

    name: str
    status: StepStatus = StepStatus.PENDING
    duration_ms: int | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    error_message: str | None = None


class StepRecord(StepProgress):
    """A step as the stores keep it; `retries` are its attempts after the first.

    REST shows a `StepProgress`: whoever watches a push cares for its end, `/metrics` for retries.
    """

    retries: int = 0


class ProgressInfo(BaseModel):
    """Completed steps of all steps."""

    model_config = ConfigDict(frozen=True)

    current: int
    total: int
    steps: tuple[StepProgress, ...]

    @classmethod
    def of(cls, steps: Sequence[StepProgress]) -> ProgressInfo:
        """Counts the completed ones."""
        done = sum(step.status is StepStatus.COMPLETED for step in steps)
        return cls(current=done, total=len(steps), steps=tuple(steps))


class PushError(BaseModel):
    """Why a push failed, for people."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    recoverable: bool = False


def given_up(leases_lost: int, step: str | None) -> PushError:
    """The error of a push whose last worker was lost too.

    Args:
        leases_lost: How many workers were lost over it.
        step: What the last one was at, if known.
    """
    where = f", the last in {step}" if step else ""
    return PushError(
        code=ErrorCode.ATTEMPTS_EXHAUSTED.value,
        message=f"{leases_lost} workers were lost while they worked on it{where}; "
        "look at the workers' logs, then retry it",
        recoverable=True,
    )


class PushRequest(BaseModel):
    """What was asked; fixed once queued. Names are normalized, documents have their text."""

    model_config = ConfigDict(frozen=True)

    company_id: str
    role_name: str
    role_id: str
    documents: tuple[DocumentRef, ...] = ()
    draup_role_id: str | None = None
    draup_role_name: str | None = None
    options: WorkflowOptions = Field(default_factory=WorkflowOptions)
    use_mock: bool = False
    traceparent: str | None = None  # W3C: the trace that the work on it belongs to


class Push(BaseModel):
    """A push as the queue or the history holds it.

    `attempts` counts leases started less those given back; `version` rises with each change.
    """

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    role_id: str
    company_id: str
    role_name: str
    source: Source
    lane: Lane
    status: WorkflowState = WorkflowState.QUEUED
    created_by: str | None = None
    batch_id: str | None = None
    retry_of: str | None = None
    options: WorkflowOptions = Field(default_factory=WorkflowOptions)
    use_mock: bool = False
    assessor: str | None = None
    steps: tuple[StepRecord, ...] = ()
    current_step: str | None = None
    attempts: int = 0
    queued_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    error: PushError | None = None
    run_id: str | None = None
    ai_automation_score: float | None = None
    version: int = 0

    @property
    def progress(self) -> ProgressInfo:
        """Its steps, counted."""
        return ProgressInfo.of([self._as_it_is(step) for step in self.steps])

    def _as_it_is(self, step: StepRecord) -> StepRecord:
        """A step as it stands: a lost worker left it running, and whoever is next begins anew."""
        if self.current_step is None and not self.status.terminal:
            return StepRecord(name=step.name)
        if self.status is not WorkflowState.FAILED:
            return step
        if step.status is StepStatus.RUNNING:
            why = self.error.message if self.error else None
            return step.model_copy(
                update={
                    "status": StepStatus.FAILED,
                    "completed_at": self.completed_at,
                    "error_message": why,
                }
            )
        if step.status is StepStatus.PENDING:
            return step.model_copy(update={"status": StepStatus.SKIPPED})
        return step

    @property
    def failed(self) -> bool:
        """Whether something was not made: it did not get ready, or a step of it failed."""
        made = self.status in (WorkflowState.READY, WorkflowState.DEGRADED)
        return not made or any(step.status is StepStatus.FAILED for step in self.steps)
