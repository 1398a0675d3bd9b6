"""Read the tasks out of a job description written by people.

What counts: lists, tables and prose under headings about the work; elsewhere lists whose items
begin as tasks do, and sentences that say what the job's holder does. How much a task is exposed
is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from etter_dagster.assessors.exposure.cleaning import clean
from etter_dagster.assessors.exposure.doers import (
    begins_with_others,
    is_of_holder,
    is_of_others,
    is_task_like,
    titles_of,
)
from etter_dagster.assessors.exposure.layout import PLAIN_LEVEL, Block, Kind, blocks
from etter_dagster.assessors.exposure.listing import labelled, listed
from etter_dagster.assessors.exposure.sections import Section, section_of, whole_section_of
from etter_dagster.assessors.exposure.sentences import is_work, sentences

READING_VERSION = 4
MAX_TASKS = 200
MAX_TASK_CHARACTERS = 1000
_PROSE_WEIGHT = 0.5
_LEAST_PROSE_WORDS = 4
_LEAST_WORDS_OF_TASK = 2
_LONGEST_LABEL = 4
_LEAST_WORDS_ELSEWHERE = 3
_ENDS_SENTENCE = (".", "!", ";")
_ALIKE = 0.5
_ALIKE_BESIDE_TASKS = 0.75
_ALIKE_ENOUGH = 0.7
"""Of a list, for all of it to be tasks; of others only the items that look like it."""
_FRONT_MATTER = re.compile(r"\s*---\n(?:[\w-]{1,40}:[^\n]*\n|[ -][^\n]*\n){1,50}---\n")
_OF_BEFORE = re.compile(r"(?:they|he|she|he or she|she or he)\b", re.I)
_WORD = re.compile(r"[^\W\d_][\w'’.-]*")


@dataclass(frozen=True)
class ReadTask:
    """A task as the document says it."""

    text: str
    weight: float
    """1 for what is listed as a task; less for prose, which also repeats and digresses."""


@dataclass(frozen=True)
class _Place:
    """Where in the document we are."""

    section: Section = Section.OPEN
    level: int = 0
    """Of the heading that opened the section."""
    part: int = 0
    """How many headings came before."""
    theme: bool = False
    """Whether the last heading may be the end of the tasks as well as a theme of them."""

    @property
    def sure(self) -> bool:
        return self.section is Section.TASKS and not self.theme

    def of_tasks(self) -> _Place:
        """The same where the text itself says that here are tasks."""
        return replace(self, section=Section.TASKS, theme=False)


@dataclass(frozen=True)
class _Found:
    task: ReadTask
    place: _Place
    in_prose: bool = False

    @property
    def in_doubt(self) -> bool:
        return self.task.weight == 1 and not self.place.sure


def read_tasks(text: str) -> tuple[ReadTask, ...]:
    """The tasks of a job description in the order in which they stand; empty if there are none."""
    text = clean(text)
    front = _FRONT_MATTER.match(text)
    found = tuple(blocks(text[front.end() if front else 0 :]))
    for strict in (True, False):
        if tasks := _chosen(tuple(_unique(_find(found, strict=strict))), strict=strict):
            return tasks[:MAX_TASKS]
    return ()


def _chosen(found: tuple[_Found, ...], *, strict: bool) -> tuple[ReadTask, ...]:
    """What is sure; and of the other lists those that look like tasks, the more so beside tasks."""
    lists: dict[int, list[str]] = {}
    for each in found:
        if each.in_doubt:
            lists.setdefault(each.place.part, []).append(each.task.text)
    alike = {part: sum(map(is_task_like, texts)) / len(texts) for part, texts in lists.items()}
    listed = any(not each.in_prose and each.place.sure for each in found)
    least = _ALIKE_BESIDE_TASKS if listed else _ALIKE
    if not strict:
        least = min(least, max(alike.values(), default=0))
    return tuple(
        each.task
        for each in found
        if not each.in_doubt
        or alike[each.place.part] >= _ALIKE_ENOUGH
        or (alike[each.place.part] >= least and (not strict or is_task_like(each.task.text)))
    )


def _find(found: tuple[Block, ...], *, strict: bool) -> Iterator[_Found]:
    titles = titles_of(block.text for block in found) if strict else None
    place = _Place()
    for is_table, group in groupby(found, key=lambda block: block.kind is Kind.ROW):
        if is_table:
            yield from _table(list(group), place)
            continue
        for block in group:
            if block.text.endswith(":"):
                place = replace(place, part=place.part + 1)  # it announces what follows
            if block.kind is Kind.HEADING:
                place = _under(block, place, is_first=block is found[0])
            elif place.section is Section.OTHER or block.kind is Kind.FACT:
                continue
            elif block.kind is Kind.ITEM:
                yield from _items(block.text, place)
            elif block is not found[0] or block.text.endswith(_ENDS_SENTENCE):
                yield from _prose(block.text, place, titles)


def _under(heading: Block, place: _Place, *, is_first: bool) -> _Place:
    section, level = enter(heading, place.section, place.level)
    own = section_of(heading.text)
    if is_first and section is Section.OTHER and whole_section_of(heading.text) is Section.OPEN:
        section = Section.OPEN  # the title: "Head of Training"
    theme = section is Section.TASKS and own is Section.OPEN and heading.level == level
    return _Place(section, level, place.part + 1, theme)


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
    return (longest,) if _word_count(longest) >= _LEAST_WORDS_ELSEWHERE else ()


def _table(rows: list[Block], place: _Place) -> Iterator[_Found]:
    if columns := columns_of(rows[0]):
        for row in rows[1:]:
            for cell, column in zip(row.cells, columns, strict=False):
                if column is Section.TASKS:
                    yield from _items(cell, place.of_tasks())
        return
    for row in rows:
        is_labelled = whole_section_of(row.cells[0]) is Section.TASKS
        for cell in _task_cells(row, place.section):
            yield from _items(cell, place.of_tasks() if is_labelled else place)


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


def _items(text: str, place: _Place) -> Iterator[_Found]:
    least = _LEAST_WORDS_OF_TASK if place.section is Section.TASKS else _LEAST_WORDS_ELSEWHERE
    for at, sentence in enumerate(sentences(text)):
        if at and is_of_others(sentence):
            continue
        for part in listed(sentence, prose=False):
            announces = part.endswith(":")
            if _word_count(part) >= least and not announces and is_work(part, prose=False):
                yield _Found(ReadTask(_bounded(part), 1.0), place)


def _prose(text: str, place: _Place, titles: frozenset[str] | None) -> Iterator[_Found]:
    of_others_before = False
    for sentence in _sentences(text):
        own, sentence = labelled(sentence)
        place = place if own is Section.OPEN else replace(place, section=own, theme=False)
        if of_others_before and not place.sure and _OF_BEFORE.match(sentence):
            continue
        of_others_before = begins_with_others(sentence)
        if place.section is Section.OTHER or not _is_said_of_work(sentence, place, titles):
            continue
        parts = listed(sentence, prose=not place.sure)
        if sum(map(is_task_like, parts)) < _ALIKE_ENOUGH * len(parts):
            parts = listed(sentence, prose=True)
        if len(parts) > 1:
            listed_here = [f for part in parts for f in _items(part, place.of_tasks())]
            yield from (replace(each, in_prose=True) for each in listed_here)
        else:
            yield _Found(ReadTask(_bounded(sentence), _PROSE_WEIGHT), place, in_prose=True)


def _sentences(text: str) -> Iterator[str]:
    """The sentences, a label with the first one that it is of: "Requirements. A degree in law."."""
    label = ""
    for sentence in sentences(text):
        if sentence.endswith(".") and whole_section_of(sentence) is not Section.OPEN:
            label = sentence
            continue
        yield f"{label} {sentence}" if label else sentence
        label = ""


def _is_said_of_work(sentence: str, place: _Place, titles: frozenset[str] | None) -> bool:
    if _word_count(sentence) < _LEAST_PROSE_WORDS or sentence.endswith(":"):
        return False
    if is_of_holder(sentence, titles or frozenset()):
        return is_work(sentence, prose=False)
    in_doubt = titles is not None and not place.sure
    return not in_doubt and not is_of_others(sentence) and is_work(sentence, prose=True)


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
