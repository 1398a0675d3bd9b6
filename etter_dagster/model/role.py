"""A role as the graph knows it, settled state and what is linked to it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from etter_dagster.model.assessment import AssessmentInputs
from etter_dagster.model.catalogue import KnownDocument
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.staleness import Basis, StaleReason
from etter_dagster.model.taxonomy import TaxonomyEntry


class CurrentAssessment(BaseModel):
    """The role's current assessment in short: enough for a list and for the staleness check."""

    model_config = ConfigDict(frozen=True)

    assessment_id: str
    final_score: float
    basis: Basis
    cost: float | None = None


class Role(BaseModel):
    """One role of one company.

    `state` is the settled state; `workflow_id` is the push that last settled it. `jd_hash` and
    `documents_hash` are those of what is linked now, empty where nothing is. `catalogued` is what
    the document sources were last seen to have; None before anybody looked. `sequence` rises in
    order of creation and is what a sensor's cursor holds.
    """

    model_config = ConfigDict(frozen=True)

    role_id: str
    company_id: str
    role_name: str
    state: RoleStatus = RoleStatus.DRAFT
    draup_role_id: str | None = None
    draup_role_name: str | None = None
    taxonomy: TaxonomyEntry | None = None
    catalogued: tuple[KnownDocument, ...] | None = None
    jd_hash: str = ""
    documents_hash: str = ""
    workflow_id: str | None = None
    current: CurrentAssessment | None = None
    stale_marks: tuple[StaleReason, ...] = ()
    created_at: datetime
    updated_at: datetime
    sequence: int = 0

    @property
    def inputs(self) -> AssessmentInputs:
        """The inputs of an assessment made now."""
        return AssessmentInputs(
            role_id=self.role_id,
            jd_hash=self.jd_hash,
            documents_hash=self.documents_hash,
            draup_role=self.draup_role_name or self.draup_role_id or "",
        )

    @property
    def inputs_hold(self) -> bool:
        """Whether the current assessment, if there is one, is of the inputs as they are now."""
        return self.current is None or self.current.basis.inputs == self.inputs
