"""What an assessor is: one protocol for the built-in model, the workflow API and LLMs."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict

from etter_dagster.model.assessment import AssessmentInputs, AssessmentOutputs, AssessorInfo
from etter_dagster.model.documents import DocumentType, LinkedDocument


class AssessmentRequest(BaseModel):
    """All that an assessor may look at, and how far an older answer may be used."""

    model_config = ConfigDict(frozen=True)

    company_id: str
    role_id: str
    role_name: str
    draup_role_name: str
    documents: tuple[LinkedDocument, ...]
    inputs: AssessmentInputs
    workflow_id: str
    force_rerun: bool = False

    @property
    def text(self) -> str:
        """The role's JD, or all its other documents where it has none."""
        jds = [d for d in self.documents if d.type is DocumentType.JOB_DESCRIPTION]
        return "\n\n".join(document.content for document in jds or self.documents)


class AssessmentFailed(Exception):
    """The assessor says no for good: trying the same again would not help.

    A failure that may pass is a `TransientError` instead; that is decided here, at the edge.
    """


class Assessor(Protocol):
    """Makes assessments. Safe from many tasks of one event loop."""

    @property
    def info(self) -> AssessorInfo:
        """Name, model and version; a new version makes older assessments stale."""

    async def assess(self, request: AssessmentRequest) -> AssessmentOutputs:
        """Assesses a role.

        Raises:
            AssessmentFailed: Permanent.
            TransientError: Trying again may help.
        """

    async def close(self) -> None:
        """Frees what it holds."""
