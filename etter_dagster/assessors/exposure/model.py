"""The built-in assessor's model: a job description in, scores with their tasks out."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from etter_dagster.assessors.exposure.explaining import strongest_words, summarize
from etter_dagster.assessors.exposure.reading import READING_VERSION, ReadTask, read_tasks
from etter_dagster.assessors.exposure.result import (
    Category,
    ExposedTask,
    Exposure,
    ExposureResult,
    NoTasksFound,
)
from etter_dagster.assessors.exposure.scoring import TaskScores, score_tasks
from etter_dagster.assessors.exposure.weights import Weights, read_weights

_CATEGORIES: dict[Exposure, Category] = {"E0": "human", "E1": "automation", "E2": "augmentation"}


class ExposureModel:
    """Deterministic, offline, a few milliseconds per job description; safe from many threads."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.version = f"{READING_VERSION}-{weights.digest}"
        """Changes whenever the same text could get other scores."""

    @staticmethod
    @lru_cache(maxsize=1)
    def load() -> ExposureModel:
        """The model as shipped, read at the first call."""
        return ExposureModel(read_weights())

    def assess(self, text: str, *, title: str | None = None) -> ExposureResult:
        """Assess a job description.

        Args:
            text: Markdown or plain text.
            title: The role's name, if known.

        Raises:
            NoTasksFound: The text names no tasks.
        """
        read = read_tasks(text)
        if not read:
            raise NoTasksFound(
                "no tasks found in the text: it must say what the role does, as a list or in "
                'sentences, for example under a heading "Responsibilities"'
            )
        scores = score_tasks(self._weights, [task.text for task in read])
        return _result(read, scores, title)


def _result(read: tuple[ReadTask, ...], scores: TaskScores, title: str | None) -> ExposureResult:
    weights = np.array([task.weight for task in read])
    weights /= weights.sum()
    automation = _points(float(100 * weights @ scores.direct))
    augmentation = _points(float(50 * weights @ scores.with_tools))
    labels = _labels(scores)
    evidence = strongest_words(scores, len(read))
    tasks = tuple(
        ExposedTask(
            task=task.text,
            exposure=labels[i],
            category=_CATEGORIES[labels[i]],
            score=_points(100 * scores.direct[i] + 50 * scores.with_tools[i]),
            weight=round(float(weights[i]), 6),
            evidence=evidence[i],
        )
        for i, task in enumerate(read)
    )
    total = round(automation + augmentation, 2)
    return ExposureResult(
        tasks=tasks,
        ai_automation_score=total,
        ai_automation_potential_score=automation,
        ai_augmentation_potential_score=augmentation,
        summary=summarize(tasks, total, automation, augmentation, title),
    )


def _labels(scores: TaskScores) -> list[Exposure]:
    shares: NDArray[np.float64] = np.stack(
        [1 - scores.direct - scores.with_tools, scores.direct, scores.with_tools]
    )
    names: tuple[Exposure, ...] = ("E0", "E1", "E2")
    return [names[i] for i in shares.argmax(axis=0)]


def _points(score: float) -> float:
    return round(min(max(float(score), 0.0), 100.0), 2)
