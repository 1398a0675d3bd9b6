"""What the platform gets to see of Dagster: runs, backfills, partitions."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from pydantic import BaseModel, ConfigDict

from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.push import WorkflowOptions


class RunStatus(str, Enum):
    """Dagster's own states of a run."""

    QUEUED = "QUEUED"
    NOT_STARTED = "NOT_STARTED"
    MANAGED = "MANAGED"
    STARTING = "STARTING"
    STARTED = "STARTED"
    SUSPENDED = "SUSPENDED"
    CANCELING = "CANCELING"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    CANCELED = "CANCELED"

    @property
    def ended(self) -> bool:
        """Whether nothing comes after it."""
        return self in (RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELED)


class BackfillStatus(str, Enum):
    """Dagster's own states of a backfill."""

    REQUESTED = "REQUESTED"
    CANCELING = "CANCELING"
    FAILING = "FAILING"
    COMPLETED = "COMPLETED"
    COMPLETED_SUCCESS = "COMPLETED_SUCCESS"
    COMPLETED_FAILED = "COMPLETED_FAILED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"

    @property
    def ended(self) -> bool:
        """Whether nothing comes after it."""
        going = (BackfillStatus.REQUESTED, BackfillStatus.CANCELING, BackfillStatus.FAILING)
        return self not in going


class PartitionState(str, Enum):
    """What Dagster says of one role in one asset."""

    MISSING = "missing"
    MATERIALIZING = "materializing"
    MATERIALIZED = "materialized"
    FAILED = "failed"


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class PushRequest(_View):
    """One push of `push_roles`; what Etter knows of the role already may be left out."""

    company_id: str
    role_name: str
    documents: tuple[DocumentRef, ...] = ()
    draup_role_id: str | None = None
    draup_role_name: str | None = None
    options: WorkflowOptions = WorkflowOptions()
    created_by: str | None = None


class RunView(_View):
    """A run of `onboard_roles` or `push_roles`."""

    run_id: str
    job_name: str
    status: RunStatus
    tags: dict[str, str] = {}
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None


class LaunchedPushes(_View):
    """A run that queues pushes, and the workflow ids that they have, in their order."""

    run_id: str
    workflow_ids: tuple[str, ...]


class AssetCounts(_View):
    """How far a backfill is with one asset."""

    asset: str
    targeted: int
    in_progress: int
    materialized: int
    failed: int


class BackfillView(_View):
    """A backfill of `onboard_roles`."""

    backfill_id: str
    status: BackfillStatus
    title: str | None = None
    partitions: int | None = None
    created_at: datetime
    ended_at: datetime | None = None
    runs: tuple[RunView, ...] = ()
    assets: tuple[AssetCounts, ...] = ()


class PartitionView(_View):
    """One role in one asset; `materialized_at` and `run_id` are of the latest materialization."""

    asset: str
    role_id: str
    state: PartitionState
    materialized_at: datetime | None = None
    run_id: str | None = None


class Termination(_View):
    """What became of asking a run to end; `problem` is None where it is ending."""

    run_id: str
    problem: str | None = None
