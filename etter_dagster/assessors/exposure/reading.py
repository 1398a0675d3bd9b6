"""Read the tasks out of a job description written by people.

What counts: lists, tables and prose under headings about the work; where there are none, whatever
does not speak of the requirements, the employer, the benefits or the place. How much a task is
exposed is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from etter_dagster.assessors.exposure.cleaning import clean
from etter_dagster.assessors.exposure.layout import PLAIN_LEVEL, Block, Kind, blocks
from etter_dagster.assessors.exposure.listing import labelled, listed
from etter_dagster.assessors.exposure.sections import Section, section_of, whole_section_of
from etter_dagster.assessors.exposure.sentences import is_work, sentences

READING_VERSION = 2
MAX_TASKS = 200
MAX_TASK_CHARACTERS = 1000
_PROSE_WEIGHT = 0.5
_LEAST_PROSE_WORDS = 4
_LEAST_WORDS_OF_TASK = 2
_LONGEST_LABEL = 4
_LEAST_WORDS_ELSEWHERE = 3
_WORD = re.compile(r"[^\W\d_][\w'’.-]*")


@dataclass(frozen=True)
class ReadTask:
    """A task as the document says it."""

    text: str
    weight: float
    """1 for what is listed as a task; less for prose, which also repeats and digresses."""


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
    for is_table, group in groupby(blocks(clean(text)), key=lambda block: block.kind is Kind.ROW):
        if is_table:
            yield from _table(list(group), section)
            continue
        for block in group:
            if block.kind is Kind.HEADING:
                section, level = enter(block, section, level)
            elif section is Section.OTHER or block.kind is Kind.FACT:
                continue
            elif block.kind is Kind.ITEM:
                yield from _items(block.text, section)
            else:
                yield from _prose(block.text, section)


def enter(heading: Block, section: Section, level: int) -> tuple[Section, int]:
    """The section and its level after a heading.

    A heading below the one that opened the section is a theme of it ("Claims handling", "Training")
    unless it consists of section words only.

    Args:
        heading: The heading.
        section: What stood before it.
        level: The level of the heading that opened that section.
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
    first = row.cells[0]
    label = section_of(first) if len(first.split()) <= _LONGEST_LABEL else Section.OPEN
    if len(row.cells) > 1 and whole_section_of(first) is Section.TASKS:
        return row.cells[1:]
    if label is not Section.OPEN or section is Section.OTHER:
        return ()
    longest = max(row.cells, key=len)
    return (longest,) if len(longest.split()) >= 3 else ()


def _table(rows: list[Block], section: Section) -> Iterator[_Found]:
    if columns := columns_of(rows[0]):
        for row in rows[1:]:
            for cell, column in zip(row.cells, columns, strict=False):
                if column is Section.TASKS:
                    yield from _items(cell, column)
        return
    for row in rows:
        for cell in _task_cells(row, section):
            yield from _items(cell, section)


def columns_of(row: Block) -> tuple[Section, ...]:
    """What each column of a table holds, where the row is its head; else nothing.

    "Responsibilities | Requirements" is a head; "Responsibilities | Cook meals" is a labelled row.
    """
    columns = tuple(
        section_of(cell) if len(cell.split()) <= _LONGEST_LABEL else Section.OPEN
        for cell in row.cells
    )
    is_head = Section.TASKS in columns[1:] or (
        columns[0] is Section.TASKS and Section.OTHER in columns[1:]
    )
    return columns if is_head else ()


def _items(text: str, section: Section) -> Iterator[_Found]:
    least = _LEAST_WORDS_OF_TASK if section is Section.TASKS else _LEAST_WORDS_ELSEWHERE
    for sentence in sentences(text):
        for part in listed(sentence, prose=False):
            announces = part.endswith(":")
            if _word_count(part) >= least and not announces and is_work(part, prose=False):
                yield _Found(ReadTask(_bounded(part), 1.0), section)


def _prose(text: str, section: Section) -> Iterator[_Found]:
    for sentence in sentences(text):
        own, sentence = labelled(sentence)
        section = section if own is Section.OPEN else own
        if section is Section.OTHER or not _is_said_of_work(sentence):
            continue
        parts = listed(sentence, prose=True)
        if len(parts) > 1:
            yield from (found for part in parts for found in _items(part, section))
        else:
            yield _Found(ReadTask(_bounded(sentence), _PROSE_WEIGHT), section)


def _is_said_of_work(sentence: str) -> bool:
    enough = _word_count(sentence) >= _LEAST_PROSE_WORDS
    return enough and not sentence.endswith(":") and is_work(sentence, prose=True)


def _word_count(text: str) -> int:
    return len(_WORD.findall(text[:MAX_TASK_CHARACTERS]))


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
