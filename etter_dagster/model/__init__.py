"""Pure records and rules: no I/O, no clock, no Dagster. Names of the contract are importable
here.
"""

from etter_dagster.model.assessment import AssessmentOutputs
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.envelope import ExecutionContext
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.push import ProgressInfo, StepProgress, WorkflowOptions
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.model.workflow import RoleOnboardingInput, WorkflowResult

__all__ = [
    "AssessmentOutputs",
    "DocumentRef",
    "DocumentType",
    "ExecutionContext",
    "ProgressInfo",
    "RoleOnboardingInput",
    "RoleStatus",
    "StepProgress",
    "TaxonomyEntry",
    "WorkflowOptions",
    "WorkflowResult",
    "WorkflowState",
    "role_id",
]
