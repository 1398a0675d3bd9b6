"""Records that the tests of the model start from."""

from __future__ import annotations

from datetime import datetime, timezone

from etter_dagster.model.assessment import AssessmentInputs, AssessorInfo

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=timezone.utc)
ASSESSOR = AssessorInfo(name="exposure", model="ridge", version="1")
INPUTS = AssessmentInputs(
    role_id="cr-acme-analyst-0123456789ab",
    jd_hash="jd-1",
    documents_hash="",
    draup_role="Data Analyst",
)
