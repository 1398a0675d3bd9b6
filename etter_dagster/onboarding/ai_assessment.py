"""The second step: the role's assessment, found again or made."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from etter_dagster.assessors.protocol import ATTEMPTS
from etter_dagster.model.assessment import Assessment, AssessorInfo
from etter_dagster.model.comparison import compare
from etter_dagster.model.errors import NotFound
from etter_dagster.model.role import Role
from etter_dagster.onboarding.assessing import Occasion, assess_role
from etter_dagster.onboarding.mock import is_mock_beside_paid
from etter_dagster.onboarding.reporting import Materialization
from etter_dagster.onboarding.steps import Step, StepContext, StepResult
from etter_dagster.settings import Settings

TASKS_SHOWN = 50


class AiAssessment(Step):
    """Finds a finished assessment of the same inputs, else has one made."""

    name = "ai_assessment"
    sub_state = "ai_assessment"
    assets = ("ai_assessment",)
    required = True
    timeout_seconds = 1800.0
    attempts = ATTEMPTS

    def code_version_by(self, assessor: AssessorInfo) -> str:
        """Another assessor, model or version makes older assessments out of date."""
        return f"{self.code_version} {assessor.key}"

    async def run(self, context: StepContext) -> StepResult:
        """Assesses the role as linked now; a finished assessment is never made twice."""
        started = time.monotonic()
        claim = context.claim
        role = await context.services.graph.role(claim.push.role_id)
        if role is None:
            raise NotFound(claim.push.role_id)
        last = (
            await context.services.graph.current_assessment(role.role_id) if role.current else None
        )
        assessment, reused = await assess_role(
            context.services,
            role,
            Occasion.of(claim, context.run_id),
            code_version=self.code_version,
        )
        result = StepResult(
            outputs={
                "assessment_id": assessment.assessment_id,
                "ai_automation_score": assessment.scores.final_score,
                "reused": reused,
            }
        )
        if is_mock_beside_paid(context.services, role, claim.push.use_mock):
            return result  # the role's assessment is another, and stays as it is
        seconds = time.monotonic() - started
        await context.report(
            assessment_made(
                context.services.settings,
                role,
                assessment,
                self.code_version_by(assessment.assessor),
                {
                    "workflow_id": claim.push.workflow_id,
                    "reused": reused,
                    **self._changes(context, assessment, last),
                    "duration_seconds": round(seconds, 4),
                },
            )
        )
        return result

    def _changes(
        self, context: StepContext, assessment: Assessment, last: Assessment | None
    ) -> dict[str, Any]:
        """What changed since the role's last assessment, for people who look in Dagster."""
        if last is None or last.assessment_id == assessment.assessment_id:
            return {}
        found = compare(
            last, assessment, max_age_days=context.services.settings.max_assessment_age_days
        )
        return {
            "changed_since_last_md": found.summary,
            "changed_tasks": [
                {
                    "change": row.change,
                    "task": row.task,
                    "before": "" if row.before is None else f"{row.before:.1f}",
                    "now": "" if row.after is None else f"{row.after:.1f}",
                }
                for row in found.rows()[:TASKS_SHOWN]
            ],
        }


def assessment_made(
    settings: Settings,
    role: Role,
    assessment: Assessment,
    code_version: str,
    more: Mapping[str, Any],
) -> Materialization:
    """A role's assessment, as the walk reports it.

    Args:
        settings: Where its page is.
        role: The role.
        assessment: Its current one.
        code_version: Of the step that makes it.
        more: How it came about.
    """
    scores = assessment.scores
    return Materialization(
        asset="ai_assessment",
        role_id=role.role_id,
        metadata={
            "company": role.company_id,
            "role": role.role_name,
            "final_score": scores.final_score,
            "ai_automation_potential_score": scores.ai_automation_potential_score,
            "ai_augmentation_potential_score": scores.ai_augmentation_potential_score,
            "assessor": assessment.assessor.key,
            "jd_hash": assessment.inputs.jd_hash,
            "draup_role": assessment.inputs.draup_role,
            "assessed_at": assessment.created_at.isoformat(timespec="seconds"),
            "stale_after": stale_after(settings, assessment).isoformat(timespec="seconds"),
            "summary_md": assessment.summary,
            "tasks": [
                {"task": t.task, "exposure": t.exposure or "", "score": round(t.score, 1)}
                for t in assessment.tasks[:TASKS_SHOWN]
            ],
            "dashboard_url": settings.dashboard_url(role.company_id, role.role_id),
            "workflow_id": assessment.workflow_id,
            "cost": assessment.cost,
            "jd_matches": assessment.provenance.get("jd_matches"),
            **more,
        },
        data_version=assessment.inputs_hash[:16],
        code_version=code_version,
    )


def stale_after(settings: Settings, assessment: Assessment) -> datetime:
    """When an assessment gets too old.

    Args:
        settings: The greatest age.
        assessment: The assessment.
    """
    return assessment.created_at + timedelta(days=settings.max_assessment_age_days)
