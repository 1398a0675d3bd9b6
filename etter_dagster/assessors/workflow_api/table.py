"""The service's table of workloads as tasks: each cell says how far AI takes its tasks over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from etter_dagster.model.assessment import AssessedTask

AI, TOGETHER, HUMAN = 100.0, 50.0, 0.0  # of a task: done by AI, by both, by a human
COLUMNS: Mapping[str, float] = {
    "Directive": AI,
    "Feedback Loop": AI,
    "Task Iteration": TOGETHER,
    "Learning": TOGETHER,
    "Validation": TOGETHER,
    "Negligibility": HUMAN,
}
_NAMES = {re.sub(r"[^a-z]", "", name.lower()): name for name in COLUMNS}
_BRACKETS = re.compile(r"\(.*?\)")
_BULLET = re.compile(r"^(?:[-*\u2022]|\d+[.)])\s+")
_NOTHING = frozenset({"", "-", "--", "\u2013", "\u2014", "n/a", "na", "none", "nil", "null"})


def tasks_of(result: object) -> tuple[AssessedTask, ...]:
    """The tasks of `ai_impact_assessment`, row by row; empty where there is no table.

    Args:
        result: The step's result: a list of rows, a Markdown table, or an object that holds one.
    """
    return tuple(task for row in _rows(result) for task in _row(row))


def _rows(result: object) -> Sequence[Mapping[str, Any]]:
    if isinstance(result, list):
        return [row for row in result if isinstance(row, dict)]
    if isinstance(result, str):
        return list(_markdown(result))
    if isinstance(result, dict):
        return next((rows for value in result.values() if (rows := _table(value))), [])
    return []


def _table(value: object) -> Sequence[Mapping[str, Any]]:
    """Rows, if at least one has a column that we know: objects hold other lists too."""
    rows = _rows(value)
    return rows if any(_column(name) for row in rows for name in row) else []


def _markdown(text: str) -> Iterator[Mapping[str, Any]]:
    lines = [line.strip().strip("|") for line in text.splitlines() if "|" in line]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    if not rows:
        return
    head, *body = rows
    for cells in body:
        if not all(set(cell) <= set("-: ") for cell in cells):
            yield dict(zip(head, cells))  # noqa: B905 - a short row has empty cells


def _row(row: Mapping[str, Any]) -> Iterator[AssessedTask]:
    workload = next(
        (str(value).strip() for name, value in row.items() if name.lower().startswith("workload")),
        None,
    )
    for name, cell in row.items():
        column = _column(name)
        if column is None:
            continue
        for task in _cell(cell):
            yield AssessedTask(
                task=task, workload=workload or None, category=column, score=COLUMNS[column]
            )


def _column(name: str) -> str | None:
    return _NAMES.get(re.sub(r"[^a-z]", "", _BRACKETS.sub("", name).lower()))


def _cell(cell: object) -> Iterator[str]:
    parts = cell if isinstance(cell, list) else [cell]
    for part in parts:
        if not isinstance(part, str):
            continue
        for text in re.split(r"[;\n]|<br\s*/?>", part):
            task = _BULLET.sub("", text.strip()).strip()
            if task.lower() not in _NOTHING:
                yield task
