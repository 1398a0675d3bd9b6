"""What the Python library takes and gives for one onboarding."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from etter_dagster.model.assessment import AssessmentOutputs
from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.envelope import ExecutionContext
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import PushError, StepProgress, WorkflowOptions


class RoleOnboardingInput(BaseModel):
    """One role to onboard. Wrong types raise; a blank name is a failed result."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    company_id: str
    role_name: str
    documents: tuple[DocumentRef, ...] = Field((), strict=False)
    draup_role_id: str | None = None
    draup_role_name: str | None = None
    options: WorkflowOptions = Field(default_factory=WorkflowOptions)
    context: ExecutionContext | None = None


class WorkflowResult(BaseModel):
    """How an onboarding ended. `success` is true for ready and degraded."""

    model_config = ConfigDict(frozen=True)

    success: bool
    workflow_id: str
    role_id: str | None = None
    status: WorkflowState
    outputs: AssessmentOutputs | None = None
    dashboard_url: str | None = None
    steps_completed: tuple[StepProgress, ...] = ()
    error: PushError | None = None
