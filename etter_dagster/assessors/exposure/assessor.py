"""The built-in assessor behind the common protocol; the model itself is in `model.py`."""

from __future__ import annotations

import asyncio

from etter_dagster.assessors.exposure.model import ExposureModel
from etter_dagster.assessors.exposure.result import NoTasksFound
from etter_dagster.assessors.protocol import AssessmentFailed, AssessmentRequest
from etter_dagster.model.assessment import (
    AssessedTask,
    AssessmentOutputs,
    AssessorInfo,
    Scores,
)


class ExposureAssessor:
    """Scores the tasks of a JD with the exposure model: offline, deterministic, no cost."""

    @property
    def info(self) -> AssessorInfo:
        """`exposure`, with the version of the shipped weights and reading rules."""
        version = ExposureModel.load().version
        return AssessorInfo(name="exposure", model="ridge", version=version)

    async def assess(self, request: AssessmentRequest) -> AssessmentOutputs:
        """Reads the tasks of the role's documents and scores them, in a thread of its own.

        Raises:
            AssessmentFailed: No tasks can be found in the documents.
        """
        return await asyncio.to_thread(assess_text, request.text, title=request.role_name)

    async def close(self) -> None:
        """Nothing is held."""


def assess_text(text: str, *, title: str | None = None) -> AssessmentOutputs:
    """Assesses one text.

    Args:
        text: A JD, Markdown or plain.
        title: The role's name, if known.

    Raises:
        AssessmentFailed: No tasks can be found in it.
    """
    try:
        result = ExposureModel.load().assess(text, title=title)
    except NoTasksFound as error:
        raise AssessmentFailed(str(error)) from error
    return AssessmentOutputs(
        scores=Scores(
            ai_automation_score=result.ai_automation_score,
            ai_automation_potential_score=result.ai_automation_potential_score,
            ai_augmentation_potential_score=result.ai_augmentation_potential_score,
        ),
        tasks=tuple(
            AssessedTask(
                task=task.task,
                category=task.category,
                exposure=task.exposure,
                score=task.score,
                evidence=task.evidence,
            )
            for task in result.tasks
        ),
        summary=result.summary,
    )
