"""Published tasks of occupations, written down in the forms of job descriptions, are all read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from etter_dagster.assessors.exposure.reading import read_tasks
from training.tasks import read_tasks as read_labelled

LABELLED = read_labelled()
OCCUPATIONS = [list(LABELLED.text[LABELLED.soc == soc]) for soc in sorted(set(LABELLED.soc))[::12]]
FORMS: dict[str, Callable[[list[str]], str]] = {
    "bullets": lambda tasks: "\n".join(f"- {task}" for task in tasks),
    "a title about travel": lambda tasks: "# Travel Agents\n\n" + FORMS["bullets"](tasks),
    "lines": lambda tasks: "Travel Agent\n" + "\n".join(tasks),
    "lines apart": lambda tasks: "Travel Agent\n\nAbout the role\n\n" + "\n\n".join(tasks),
    "one paragraph": lambda tasks: "Travel Agent\n\n" + " ".join(tasks),
    "after the employer": lambda tasks: "Agent\n\nAbout us\nWe fly.\n\nThe job\n" + " ".join(tasks),
    "semicolons": lambda tasks: "Duties: " + "; ".join(task.rstrip(".") for task in tasks),
}


def letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


@pytest.mark.parametrize("form", FORMS)
def test_nearly_all_tasks_are_read_and_nothing_else(form: str) -> None:
    """Once all were lost to semicolons, and all of those whose title named benefits or travel."""
    total = lost = 0
    for tasks in OCCUPATIONS:
        read = " ".join(letters(task.text) for task in read_tasks(FORMS[form](tasks)))
        known = " ".join(map(letters, tasks))
        total += len(tasks)
        lost += sum(letters(task)[:60] not in read for task in tasks)
        assert all(part[:60] in known for part in read.split())
    assert total > 1000
    assert lost <= 0.03 * total
