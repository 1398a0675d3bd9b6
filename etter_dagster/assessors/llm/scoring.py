"""Labels to scores: the shares of the paper, as the built-in assessor computes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from etter_dagster.assessors.exposure.explaining import summarize
from etter_dagster.assessors.exposure.reading import ReadTask
from etter_dagster.assessors.exposure.result import Category, ExposedTask, Exposure
from etter_dagster.assessors.llm.labels import Label
from etter_dagster.model.assessment import AssessedTask, AssessmentOutputs, Scores

POINTS = {"E0": 0.0, "E1": 100.0, "E2": 50.0}
_CATEGORIES: dict[str, Category] = {"E0": "human", "E1": "automation", "E2": "augmentation"}
_EXPOSURES: dict[str, Exposure] = {"E0": "E0", "E1": "E1", "E2": "E2"}
NOT_COUNTED = "the model gave no label; not counted"


def outputs(
    tasks: Sequence[ReadTask], labels: Mapping[int, Label], *, title: str, note: str
) -> AssessmentOutputs:
    """Scores of a role: 100 x the share of E1 and 50 x that of E2, by the tasks' weights.

    Args:
        tasks: As read.
        labels: By place; tasks without one do not count.
        title: The role's name.
        note: Put after the summary.
    """
    weight = sum(tasks[place].weight for place in labels)
    share = {
        label: sum(tasks[p].weight for p, given in labels.items() if given.label == label) / weight
        for label in POINTS
    }
    automation, augmentation = round(100 * share["E1"], 2), round(50 * share["E2"], 2)
    total = round(automation + augmentation, 2)
    counted = [
        ExposedTask(
            task=tasks[place].text,
            exposure=_EXPOSURES[label.label],
            category=_CATEGORIES[label.label],
            score=POINTS[label.label],
            weight=tasks[place].weight / weight,
            evidence=(),
        )
        for place, label in sorted(labels.items())
    ]
    return AssessmentOutputs(
        scores=Scores(
            ai_automation_score=total,
            ai_automation_potential_score=automation,
            ai_augmentation_potential_score=augmentation,
        ),
        tasks=tuple(_task(task.text, labels.get(place)) for place, task in enumerate(tasks)),
        summary=f"{summarize(counted, total, automation, augmentation, title)} {note}",
    )


def _task(text: str, label: Label | None) -> AssessedTask:
    if label is None:
        return AssessedTask(task=text, score=0.0, evidence=(NOT_COUNTED,))
    return AssessedTask(
        task=text,
        exposure=label.label,
        category=_CATEGORIES[label.label],
        score=POINTS[label.label],
        evidence=(label.reason,) if label.reason else (),
    )
