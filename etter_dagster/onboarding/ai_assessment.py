"""The second step: the role's assessment, found again or made."""

from __future__ import annotations

import time

from etter_dagster.model.assessment import Assessment
from etter_dagster.model.errors import NotFound
from etter_dagster.model.role import Role
from etter_dagster.onboarding.assessing import Occasion, assess_role
from etter_dagster.onboarding.reporting import Materialization
from etter_dagster.onboarding.steps import Step, StepContext, StepResult

TASKS_SHOWN = 50


class AiAssessment(Step):
    """Finds a finished assessment of the same inputs, else has one made."""

    name = "ai_assessment"
    sub_state = "ai_assessment"
    assets = ("ai_assessment",)
    required = True
    timeout_seconds = 1800.0
    attempts = 5

    async def run(self, context: StepContext) -> StepResult:
        """Assesses the role as linked now; a finished assessment is never made twice."""
        started = time.monotonic()
        claim = context.claim
        role = await context.services.graph.role(claim.push.role_id)
        if role is None:
            raise NotFound(claim.push.role_id)
        assessment, reused = await assess_role(
            context.services,
            role,
            Occasion.of(claim, context.run_id),
            code_version=self.code_version,
        )
        await context.report(
            self._materialization(context, role, assessment, reused, time.monotonic() - started)
        )
        return StepResult(
            outputs={
                "assessment_id": assessment.assessment_id,
                "ai_automation_score": assessment.scores.final_score,
                "reused": reused,
            }
        )

    def _materialization(
        self,
        context: StepContext,
        role: Role,
        assessment: Assessment,
        reused: bool,
        seconds: float,
    ) -> Materialization:
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
                "reused": reused,
                "summary_md": assessment.summary,
                "tasks": [
                    {"task": t.task, "exposure": t.exposure or "", "score": round(t.score, 1)}
                    for t in assessment.tasks[:TASKS_SHOWN]
                ],
                "dashboard_url": context.services.settings.dashboard_url(
                    role.company_id, role.role_id
                ),
                "workflow_id": context.claim.push.workflow_id,
                "duration_seconds": round(seconds, 4),
                "cost": assessment.cost,
            },
            data_version=assessment.inputs_hash[:16],
            code_version=self.code_version,
        )
