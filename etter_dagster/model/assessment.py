"""Assessments: scores and task analysis of one role, and what they were made from."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from etter_dagster.model.documents import canonical_text

# What `use_mock` assesses with, whatever is configured.
MOCK_ASSESSOR = "exposure"


class AssessorInfo(BaseModel):
    """Who made an assessment."""

    model_config = ConfigDict(frozen=True)

    name: str
    model: str
    version: str

    @property
    def key(self) -> str:
        """What must be equal for two assessments to be by the same assessor."""
        return f"{self.name}/{self.model}/{self.version}"


class AssessedTask(BaseModel):
    """One task of a role. `score` is 0-100; `exposure` is E0, E1 or E2 where the assessor knows."""

    model_config = ConfigDict(frozen=True)

    task: str
    workload: str | None = None
    category: str | None = None
    exposure: str | None = None
    score: float = Field(ge=0, le=100)
    evidence: tuple[str, ...] = ()


class Scores(BaseModel):
    """Scores of a role, each 0-100; the first is the sum of the next two."""

    model_config = ConfigDict(frozen=True)

    ai_automation_score: float = Field(ge=0, le=100)
    ai_automation_potential_score: float = Field(ge=0, le=100)
    ai_augmentation_potential_score: float = Field(ge=0, le=100)
    validated_ai_automation_score: float | None = Field(None, ge=0, le=100)

    @property
    def final_score(self) -> float:
        """The validated score where there is one (0.0 counts), else the plain one."""
        if self.validated_ai_automation_score is not None:
            return self.validated_ai_automation_score
        return self.ai_automation_score


class AssessmentInputs(BaseModel):
    """What an assessment is made from; two with equal `inputs_hash` had the same."""

    model_config = ConfigDict(frozen=True)

    role_id: str
    jd_hash: str
    documents_hash: str
    # A mapping that is only spelt with other white space is no change.
    draup_role: Annotated[str, AfterValidator(canonical_text)]

    @property
    def inputs_hash(self) -> str:
        """SHA-256 hex over all the fields."""
        text = json.dumps(self.model_dump(), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


class AssessmentOutputs(BaseModel):
    """What an assessor gives: scores, tasks, and a summary in a few sentences.

    `provenance` is what an outside service says of its own work, e.g. its ids.
    """

    model_config = ConfigDict(frozen=True)

    scores: Scores
    tasks: tuple[AssessedTask, ...] = ()
    summary: str = ""
    cost: float | None = Field(None, ge=0)
    raw: dict[str, Any] | None = Field(None, repr=False)
    provenance: dict[str, Any] = Field(default_factory=dict)

    @property
    def final_score(self) -> float:
        """`scores.final_score`."""
        return self.scores.final_score


class Assessment(BaseModel):
    """A finished assessment as the graph keeps it; append-only."""

    model_config = ConfigDict(frozen=True)

    assessment_id: str
    role_id: str
    workflow_id: str
    assessor: AssessorInfo
    inputs: AssessmentInputs
    inputs_hash: str
    scores: Scores
    tasks: tuple[AssessedTask, ...] = ()
    summary: str = ""
    created_at: datetime
    run_id: str | None = None
    cost: float | None = None
    code_version: str | None = None
    provenance: dict[str, Any] = Field(default_factory=dict)


def assessment_id(workflow_id: str, inputs_hash: str, assessor: AssessorInfo) -> str:
    """The id of the assessment that a push makes: repeating the push's work gives the same id.

    Args:
        workflow_id: The push.
        inputs_hash: Hash of the role's inputs.
        assessor: Who assesses.
    """
    text = "\0".join((workflow_id, inputs_hash, assessor.key))
    return f"as-{hashlib.sha256(text.encode()).hexdigest()[:24]}"
