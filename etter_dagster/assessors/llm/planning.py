"""Which tasks go into which call."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from etter_dagster.assessors.llm.rubric import CANARIES
from etter_dagster.assessors.llm.suspicion import speaks_to_a_model

TASKS_PER_CALL = 20
CHARACTERS_PER_CALL = 6_000


@dataclass(frozen=True)
class Asked:
    """What one call asks: places of tasks in the document, and tasks whose label is known."""

    part: str
    places: tuple[int, ...]
    texts: tuple[str, ...]
    """In the order asked; a canary where `known` has its place."""
    known: tuple[str | None, ...]
    """Per text the label that it must get, None for a task of the document."""


def plan(tasks: Sequence[str]) -> list[Asked]:
    """The calls for all tasks: together where they only speak of work, alone where not.

    Args:
        tasks: As read, in the document's order.
    """
    together = [n for n, task in enumerate(tasks) if not speaks_to_a_model(task)]
    alone = [n for n, task in enumerate(tasks) if speaks_to_a_model(task)]
    calls = [
        asked(f"tasks-{number}", places, tasks)
        for number, places in enumerate(_chunks(together, tasks), start=1)
    ]
    return calls + [asked(f"task-{n + 1}", [n], tasks) for n in alone]


def asked(part: str, places: Sequence[int], tasks: Sequence[str]) -> Asked:
    """A call for some tasks; several have canaries among them, at places no document can know.

    Args:
        part: Names the call within the assessment.
        places: Of the tasks to ask about.
        tasks: All of the document's.
    """
    texts = [tasks[place] for place in places]
    known: list[str | None] = [None] * len(texts)
    if len(places) > 1:
        seed = hashlib.sha256("\0".join([part, *texts]).encode("utf-8", "replace")).digest()
        for number, (label, choice) in enumerate(CANARIES.items()):
            at = seed[2 * number] % (len(texts) + 1)
            texts.insert(at, choice[seed[2 * number + 1] % len(choice)])
            known.insert(at, label)
    return Asked(part, tuple(places), tuple(texts), tuple(known))


def _chunks(places: Sequence[int], tasks: Sequence[str]) -> Iterator[list[int]]:
    """Of about equal size, in order, each within the bounds of a call."""
    if not places:
        return
    calls = -(-len(places) // TASKS_PER_CALL)
    most = -(-len(places) // calls)
    chunk: list[int] = []
    size = 0
    for place in places:
        if chunk and (len(chunk) == most or size + len(tasks[place]) > CHARACTERS_PER_CALL):
            yield chunk
            chunk, size = [], 0
        chunk.append(place)
        size += len(tasks[place])
    yield chunk
