"""Read the tasks out of a job description written by people.

What counts: lists, tables and prose under headings about the work; where there are none, whatever does
not speak of the requirements, the employer, the benefits or the place. How much a task is exposed is
not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from etter_dagster.assessors.exposure.cleaning import clean
from etter_dagster.assessors.exposure.layout import PLAIN_LEVEL, Block, Kind, blocks
from etter_dagster.assessors.exposure.sections import Section, section_of, whole_section_of
from etter_dagster.assessors.exposure.sentences import is_work, sentences

READING_VERSION = 1
MAX_TASKS = 200
MAX_TASK_CHARACTERS = 1000
_PROSE_WEIGHT = 0.5


@dataclass(frozen=True)
class ReadTask:
    """A task as the document says it."""

    text: str
    weight: float
    """1 for what is listed as a task; less for prose, which also repeats, explains and digresses."""


@dataclass(frozen=True)
class _Found:
    task: ReadTask
    section: Section


def read_tasks(text: str) -> tuple[ReadTask, ...]:
    """The tasks of a job description in the order in which they stand; empty if there are none."""
    found = list(_unique(_find(text)))
    if any(f.section is Section.TASKS and f.task.weight == 1 for f in found):
        # A list of tasks is what it is; loose items elsewhere are something else.
        found = [f for f in found if f.section is Section.TASKS or f.task.weight < 1]
    return tuple(f.task for f in found[:MAX_TASKS])


def _find(text: str) -> Iterator[_Found]:
    section, level = Section.OPEN, 0
    for block in blocks(clean(text)):
        if block.kind is Kind.HEADING:
            section, level = _enter(block, section, level)
        elif block.kind is Kind.ROW:
            for cell in _task_cells(block, section):
                yield from _items(cell, section)
        elif section is Section.OTHER:
            continue
        elif block.kind is Kind.ITEM:
            yield from _items(block.text, section)
        else:
            yield from _prose(block.text, section)


def _enter(heading: Block, section: Section, level: int) -> tuple[Section, int]:
    """The section and its level after a heading.

    A heading below the one that opened the section is a theme of it ("Claims handling", "Training")
    unless it consists of section words only.
    """
    below = heading.level > level
    if section is not Section.OPEN and below:
        own = whole_section_of(heading.text)
        return (section, level) if own in (Section.OPEN, section) else (own, heading.level)
    own = section_of(heading.text)
    if own is Section.OPEN and section is Section.TASKS and heading.level == PLAIN_LEVEL == level:
        return section, level
    return own, heading.level


def _task_cells(row: Block, section: Section) -> Iterable[str]:
    """The cells of a table row that may hold tasks: a labelled row says itself what it holds."""
    label = section_of(row.cells[0]) if len(row.cells[0].split()) <= 4 else Section.OPEN
    if len(row.cells) > 1 and whole_section_of(row.cells[0]) is Section.TASKS:
        return row.cells[1:]
    if label is not Section.OPEN or section is Section.OTHER:
        return ()
    longest = max(row.cells, key=len)
    return (longest,) if len(longest.split()) >= 3 else ()


def _items(text: str, section: Section) -> Iterator[_Found]:
    if len(text.split()) >= (2 if section is Section.TASKS else 3) and is_work(text, prose=False):
        yield _Found(ReadTask(_bounded(text), 1.0), section)


def _prose(text: str, section: Section) -> Iterator[_Found]:
    for sentence in sentences(text):
        if (
            len(sentence.split()) >= 4
            and not sentence.endswith(":")
            and is_work(sentence, prose=True)
        ):
            yield _Found(ReadTask(_bounded(sentence), _PROSE_WEIGHT), section)


def _unique(found: Iterable[_Found]) -> Iterator[_Found]:
    seen: set[str] = set()
    for each in found:
        key = "".join(c for c in each.task.text.lower() if c.isalnum())
        if key and key not in seen:
            seen.add(key)
            yield each


def _bounded(text: str) -> str:
    if len(text) <= MAX_TASK_CHARACTERS:
        return text
    return text[:MAX_TASK_CHARACTERS].rsplit(" ", 1)[0] + " …"
