"""Two assessments of a role side by side: what changed, and why. Pure.

Tasks are matched by their text: equal ones first, then the most alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from etter_dagster.model.assessment import AssessedTask, Assessment, AssessorInfo, Scores
from etter_dagster.model.documents import canonical_text
from etter_dagster.model.staleness import basis_of, stale_reasons

ALIKE = 0.5  # of the words of two tasks in common, below which they are different tasks
_TOKEN = re.compile(r"[\u3040-\u9fff\uac00-\ud7af]|[^\W_]+")
_SCORES = (
    "final_score",
    "ai_automation_score",
    "ai_automation_potential_score",
    "ai_augmentation_potential_score",
    "validated_ai_automation_score",
)
_SAYS = {
    "jd_hash": "the job description changed",
    "documents_hash": "the other documents changed",
    "draup_role": "the Draup role changed from '{before}' to '{after}'",
    "assessor": "the assessor changed from {before} to {after}",
    "assessor_model": "the assessor's model changed from {before} to {after}",
    "assessor_version": "the assessor's version changed from {before} to {after}",
    "age": "the earlier one was older than allowed",
    "rerun": "it was asked for anew; inputs and assessor are the same",
}


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Compared(_Record):
    """One of the two assessments, in short."""

    assessment_id: str
    created_at: datetime
    assessor: AssessorInfo
    inputs_hash: str
    final_score: float
    workflow_id: str


class ScoreChange(_Record):
    """One score before and after; `change` is null where one side has none."""

    name: str
    before: float | None
    after: float | None
    change: float | None


class TaskChange(_Record):
    """A task that both have, said or judged otherwise; `similarity` of the texts is 0-1."""

    before: AssessedTask
    after: AssessedTask
    changed: tuple[str, ...] = Field(description="Of `task`, `exposure`, `category`, `score`.")
    similarity: float
    score_change: float


class TaskChanges(_Record):
    """Tasks that came, went and changed; those left as they are count only."""

    added: tuple[AssessedTask, ...] = ()
    removed: tuple[AssessedTask, ...] = ()
    changed: tuple[TaskChange, ...] = ()
    unchanged: int = 0


class Cause(_Record):
    """One reason why the later assessment may differ; `field` as in `stale_reasons`, or `rerun`."""

    field: str
    before: str | None = None
    after: str | None = None
    message: str


class TaskRow(NamedTuple):
    """One task of a comparison's table; scores null where the task is not there."""

    change: str
    task: str
    before: float | None
    after: float | None


class Comparison(_Record):
    """What changed between two assessments of a role, and why."""

    role_id: str
    before: Compared
    after: Compared
    scores: tuple[ScoreChange, ...]
    tasks: TaskChanges
    causes: tuple[Cause, ...]
    summary: str

    def rows(self) -> list[TaskRow]:
        """The tasks that came, went or changed, for tables of people."""
        tasks = self.tasks
        return [
            *(TaskRow("added", task.task, None, task.score) for task in tasks.added),
            *(TaskRow("removed", task.task, task.score, None) for task in tasks.removed),
            *(
                TaskRow(_change_word(one), one.after.task, one.before.score, one.after.score)
                for one in tasks.changed
            ),
        ]


def compare(before: Assessment, after: Assessment, *, max_age_days: float) -> Comparison:
    """Compares two assessments of one role.

    Args:
        before: The one to start from.
        after: The one to explain.
        max_age_days: Above which age `before` was out of date when `after` was made.
    """
    scores = tuple(_score_changes(before.scores, after.scores))
    tasks = match_tasks(before.tasks, after.tasks)
    causes = tuple(_causes(before, after, max_age_days))
    return Comparison(
        role_id=after.role_id,
        before=_short(before),
        after=_short(after),
        scores=scores,
        tasks=tasks,
        causes=causes,
        summary=_summary(scores[0], tasks, causes),
    )


def match_tasks(before: Sequence[AssessedTask], after: Sequence[AssessedTask]) -> TaskChanges:
    """Which tasks are the same, changed, new and gone; each is matched at most once."""
    pairs = _matched(before, after)
    changes = [
        TaskChange(
            before=before[i],
            after=after[j],
            changed=what,
            similarity=round(alike, 3),
            score_change=round(after[j].score - before[i].score, 2),
        )
        for j, (i, alike) in sorted(pairs.items())
        if (what := _differences(before[i], after[j]))
    ]
    kept = {i for i, _ in pairs.values()}
    return TaskChanges(
        added=tuple(task for j, task in enumerate(after) if j not in pairs),
        removed=tuple(task for i, task in enumerate(before) if i not in kept),
        changed=tuple(changes),
        unchanged=len(pairs) - len(changes),
    )


def _matched(
    before: Sequence[AssessedTask], after: Sequence[AssessedTask]
) -> dict[int, tuple[int, float]]:
    """Per place in `after` the place in `before` and how alike they are; best pairs first."""
    old, new = [_words(t.task) for t in before], [_words(t.task) for t in after]
    pairs = sorted(
        (-_alike(old[i], new[j]), i != j, i, j) for i in range(len(old)) for j in range(len(new))
    )
    found: dict[int, tuple[int, float]] = {}
    taken: set[int] = set()
    for distance, _, i, j in pairs:
        if -distance < ALIKE:
            break
        if i not in taken and j not in found:
            taken.add(i)
            found[j] = (i, -distance)
    return found


def _words(text: str) -> frozenset[str]:
    return frozenset(_TOKEN.findall(text.casefold()))


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    if not one or not other:
        return 0.0
    return 2 * len(one & other) / (len(one) + len(other))


def _differences(before: AssessedTask, after: AssessedTask) -> tuple[str, ...]:
    found = []
    if canonical_text(before.task) != canonical_text(after.task):
        found.append("task")
    found += [
        name
        for name in ("exposure", "category", "score")
        if getattr(before, name) != getattr(after, name)
    ]
    return tuple(found)


def _score_changes(before: Scores, after: Scores) -> Iterator[ScoreChange]:
    for name in _SCORES:
        old, new = getattr(before, name), getattr(after, name)
        if old is None and new is None:
            continue
        change = None if old is None or new is None else round(new - old, 2)
        yield ScoreChange(name=name, before=old, after=new, change=change)


def _causes(before: Assessment, after: Assessment, max_age_days: float) -> Iterator[Cause]:
    reasons = stale_reasons(
        basis_of(before),
        inputs=after.inputs,
        assessor=after.assessor,
        now=max(before.created_at, after.created_at),
        max_age_days=max_age_days,
    )
    for reason in reasons:
        said = _SAYS[reason.field].format(
            before=reason.stored or "none", after=reason.required or "none"
        )
        yield Cause(field=reason.field, before=reason.stored, after=reason.required, message=said)
    if not reasons:
        yield Cause(field="rerun", message=_SAYS["rerun"])


def _change_word(change: TaskChange) -> str:
    labels = change.before.exposure, change.after.exposure
    judged = f"{labels[0]} to {labels[1]}" if labels[0] != labels[1] else ""
    said = "reworded" if "task" in change.changed else ""
    return ", ".join(filter(None, (said, judged))) or "scored otherwise"


def _short(assessment: Assessment) -> Compared:
    return Compared(
        assessment_id=assessment.assessment_id,
        created_at=assessment.created_at,
        assessor=assessment.assessor,
        inputs_hash=assessment.inputs_hash,
        final_score=assessment.scores.final_score,
        workflow_id=assessment.workflow_id,
    )


def _summary(score: ScoreChange, tasks: TaskChanges, causes: Sequence[Cause]) -> str:
    change = score.change or 0.0
    moved = f"{score.before:.1f} to {score.after:.1f} ({change:+.1f})"
    said = f"Score from {moved}" if change else f"Score still {score.after:.1f}"
    counts = {
        "added": len(tasks.added),
        "removed": len(tasks.removed),
        "changed": len(tasks.changed),
        "as before": tasks.unchanged,
    }
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    because = "; ".join(cause.message for cause in causes)
    return f"{said}. Tasks: {told or 'none'}. Why: {because}."
