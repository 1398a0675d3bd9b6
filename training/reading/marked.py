"""Marked job descriptions, and what a reading of one got right.

A file holds documents, each under a line `=== name`. `{{...}}` is a task, `{?...?}` may be one or
not and counts neither way.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from etter_dagster.assessors.exposure.reading import ReadTask, read_tasks

SEEN = Path(__file__).with_name("seen.txt")
HELD_OUT = Path(__file__).with_name("held_out.txt")
ENOUGH = 0.6
"""Of a marked task's words, for it to be found; half of a read one's words make it right."""
_RUN = 3
_MARK = re.compile(r"\{\{(.*?)\}\}|\{\?(.*?)\?\}", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Marked:
    """A job description, what in it are tasks, and what may be."""

    name: str
    text: str
    tasks: tuple[str, ...]
    in_doubt: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """What the reader made of one or more documents."""

    right: tuple[ReadTask, ...] = ()
    wrong: tuple[ReadTask, ...] = ()
    found: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()

    def __add__(self, other: Judged) -> Judged:
        return Judged(
            self.right + other.right,
            self.wrong + other.wrong,
            self.found + other.found,
            self.missed + other.missed,
        )

    @property
    def precision(self) -> float:
        """The share of what was read that is a task."""
        return len(self.right) / max(1, len(self.right) + len(self.wrong))

    @property
    def recall(self) -> float:
        """The share of the tasks that was read."""
        return len(self.found) / max(1, len(self.found) + len(self.missed))


def documents(path: Path) -> Iterator[Marked]:
    """The documents of a file."""
    for part in path.read_text(encoding="utf-8").split("\n=== "):
        name, _, body = part.removeprefix("=== ").partition("\n")
        marks = list(_MARK.finditer(body))
        yield Marked(
            name=name.strip(),
            text=_MARK.sub(lambda mark: mark[1] if mark[2] is None else mark[2], body),
            tasks=tuple(mark[1] for mark in marks if mark[2] is None),
            in_doubt=tuple(mark[2] for mark in marks if mark[2] is not None),
        )


def judge(document: Marked) -> Judged:
    """Reads a document and compares: parts of tasks, and several joined, are right too."""
    tasks = [_words(task) for task in document.tasks]
    in_doubt = [_words(task) for task in document.in_doubt]
    read = [(task, _words(task.text)) for task in read_tasks(document.text)]
    right = [task for task, words in read if _covered(words, tasks) >= len(words) / 2]
    found = [
        _covered(words, [other for _, other in read]) >= ENOUGH * len(words) for words in tasks
    ]
    return Judged(
        right=tuple(right),
        wrong=tuple(
            task
            for task, words in read
            if task not in right and _covered(words, in_doubt) < len(words) / 2
        ),
        found=tuple(t for t, is_found in zip(document.tasks, found, strict=True) if is_found),
        missed=tuple(t for t, is_found in zip(document.tasks, found, strict=True) if not is_found),
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(html.unescape(_TAG.sub(" ", text)).casefold())


def _covered(words: list[str], others: list[list[str]]) -> int:
    """How many of the words stand in runs that one of the others has too."""
    size = min(_RUN, len(words))
    runs = {tuple(o[n : n + size]) for o in others for n in range(len(o) - size + 1)}
    covered: set[int] = set()
    for at in range(len(words) - size + 1):
        if tuple(words[at : at + size]) in runs:
            covered.update(range(at, at + size))
    return len(covered)
