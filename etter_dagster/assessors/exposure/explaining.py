"""Why a score is what it is: the strongest words of a task, and a role in a few sentences."""

from __future__ import annotations

from collections.abc import Sequence

from etter_dagster.assessors.exposure.result import ExposedTask
from etter_dagster.assessors.exposure.scoring import TaskScores

_WORDS_PER_TASK = 4
_LEAST_PUSH = 0.5
_FUNCTION_WORDS = (
    "a an and are as at be been being by can do does for from had has have he her his how if "
    "in into is it its may might must no not of on or other others she should so such than "
    "that the their them then there these they this those to up was were what when where "
    "which while who whose will with within without would you your we our us also more most "
    "some any all each s"
)


def strongest_words(scores: TaskScores, tasks: int) -> list[tuple[str, ...]]:
    """Per task the words that moved its score most, `+` up or `-` down, strongest first."""
    function_words = frozenset(_FUNCTION_WORDS.split())
    pushes: list[dict[str, float]] = [{} for _ in range(tasks)]
    for word, task, push in zip(
        scores.words, scores.word_text.tolist(), scores.word_push.tolist(), strict=True
    ):
        if len(word) > 2 and word not in function_words:
            pushes[task][word] = pushes[task].get(word, 0.0) + push
    return [_strongest(push) for push in pushes]


def _strongest(pushes: dict[str, float]) -> tuple[str, ...]:
    ranked = sorted(pushes.items(), key=lambda pair: (-abs(pair[1]), pair[0]))
    return tuple(
        f"{'+' if push > 0 else '-'}{word}"
        for word, push in ranked[:_WORDS_PER_TASK]
        if abs(push) >= _LEAST_PUSH
    )


def summarize(
    tasks: Sequence[ExposedTask],
    score: float,
    automation: float,
    augmentation: float,
    title: str | None,
) -> str:
    """A role's result in plain English, made from its numbers only."""
    role = title.strip() if title and title.strip() else "This role"
    degree = "high" if score >= 50 else "moderate" if score >= 25 else "low"
    count = {kind: sum(t.exposure == kind for t in tasks) for kind in ("E0", "E1", "E2")}
    most = max(tasks, key=lambda task: task.score)
    least = min(tasks, key=lambda task: task.score)
    sentences = [
        f"{role} has {degree} exposure to language models: {score:.0f} of 100, of which "
        f"{automation:.0f} from work a model can speed up by itself and {augmentation:.0f} from "
        "work it can speed up with tools built on it.",
        f"Tasks read from the job description: {len(tasks)}, of which {count['E1']} directly "
        f"exposed, {count['E2']} with tools, {count['E0']} hardly.",
    ]
    if len(tasks) > 1 and most.score - least.score >= 1:
        sentences.append(f"Most exposed: “{_short(most.task)}”; least: “{_short(least.task)}”.")
    return " ".join(sentences)


def _short(text: str) -> str:
    text = text.rstrip(" .;,:")
    return text if len(text) <= 90 else text[:90].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
