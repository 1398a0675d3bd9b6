"""Each block of a text to the part of a JD it belongs to, with the heading it stands under."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, zip_longest

from etter_dagster.assessors.exposure.layout import PLAIN_LEVEL, Block, Kind
from etter_dagster.assessors.exposure.listing import labelled, numbered
from etter_dagster.assessors.exposure.reading import columns_of, enter
from etter_dagster.assessors.exposure.sections import Section, section_of
from etter_dagster.assessors.exposure.sentences import is_work, sentences
from etter_dagster.assessors.formatting.places import (
    REQUIRED,
    Part,
    part_of_heading,
    requirement_of,
    says_no_more,
)

_LONGEST_TITLE = 12
_LONGEST_HEADING = 5
_LEAST_WORDS_OF_TASK = 3
_TITLE_FACT = re.compile(r"(?:job title|position|title|role)\s*:\s*(\S.{0,98})$", re.IGNORECASE)
# A number alone counts something: "5 machines" above a list lost its five.
_NUMBERING = re.compile(r"^\(?\d{1,3}(?:(?:\.\d{1,2})+[.):]?|[.):])\s+(?=[^\W\d_])")
_ENDS = (".", "!", "?", ";", ":", ",")


@dataclass(frozen=True)
class Entry:
    """A piece of text in its part; `kind` HEADING stands for a heading with nothing under it."""

    part: Part
    theme: str
    kind: Kind
    text: str
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class Placed:
    """A text's title, if it has one, and all its other pieces."""

    title: str | None
    entries: tuple[Entry, ...]


def place(found: Sequence[Block]) -> Placed:
    """Places the blocks of a text; every word of them is in the result.

    Headings that only say what the JD's own headings say are left out.
    """
    title, rest = _title(found)
    rest = [_as_heading(*pair) for pair in zip(rest, [*rest[1:], None], strict=False)]
    lists_tasks = any(b.kind is Kind.HEADING and section_of(b.text) is Section.TASKS for b in rest)
    walk = _Walk(lists_tasks)
    for is_table, group in groupby(rest, key=lambda block: block.kind is Kind.ROW):
        if is_table:
            walk.table([block.cells for block in group])
        else:
            for block in group:
                walk.take(block)
    walk.leave(0)
    return Placed(title, tuple(walk.entries))


def _title(found: Sequence[Block]) -> tuple[str | None, Sequence[Block]]:
    first = found[0] if found else None
    if first is None:
        return None, found
    if says_no_more(first.text):
        return None, found
    if first.kind is Kind.HEADING and (first.level == 1 or section_of(first.text) is Section.OPEN):
        return first.text or None, found[1:]
    is_line = first.kind in (Kind.PARAGRAPH, Kind.ITEM) and not first.mark
    short = len(first.text.split()) <= _LONGEST_TITLE and len(first.text) <= 100
    if is_line and short and not first.text.endswith(_ENDS):
        return first.text, found[1:]
    for block in found:
        if block.kind is Kind.FACT and (match := _TITLE_FACT.match(block.text)):
            return match[1], found
    return None, found


def _as_heading(block: Block, under: Block | None) -> Block:
    """A short line of its own above a list or a paragraph is a heading, though without a mark."""
    if under is None or block.mark or block.kind not in (Kind.ITEM, Kind.PARAGRAPH):
        return block
    words = block.text.rstrip(":").split()
    plain = says_no_more(block.text)
    listed = under.kind is Kind.ITEM and bool(under.mark)
    titled = under.kind is Kind.PARAGRAPH and all(word[0].isupper() for word in words)
    ends = block.text.endswith(tuple(set(_ENDS) - {":"}))
    if not words or len(words) > _LONGEST_HEADING or ends or not (listed or titled or plain):
        return block
    return Block(Kind.HEADING, " ".join(words), PLAIN_LEVEL + 1)


@dataclass
class _Heading:
    text: str
    level: int
    part: Part | bool | None
    plain: bool
    used: bool = False


@dataclass
class _Walk:
    """Where in the text we are: the section, and the headings above."""

    lists_tasks: bool
    entries: list[Entry] = field(default_factory=list)
    section: Section = Section.OPEN
    level: int = 0
    headings: list[_Heading] = field(default_factory=list)

    def take(self, block: Block) -> None:
        if block.kind is Kind.HEADING:
            self._enter(block)
        elif block.kind is Kind.PARAGRAPH:
            self._paragraph(block.text)
        elif block.kind is Kind.FACT:
            self._add(Part.OVERVIEW, Kind.ITEM, block.text)
        else:
            mark = block.mark if any(map(str.isalnum, block.mark)) else ""
            is_counter = re.fullmatch(r"\(?\d{1,3}[.):]", mark)
            text = block.text if not mark or is_counter else f"{mark} {block.text}"
            self._add(self._part_of(block.text), Kind.ITEM, text)

    def leave(self, level: int) -> None:
        """Headings of this level and below end; one that nothing stood under is kept."""
        while self.headings and self.headings[-1].level >= level:
            heading = self.headings[-1]
            if not heading.used and not heading.plain:
                self._add(self._heading_part(), Kind.HEADING, "")
            self.headings.pop()

    def _enter(self, block: Block) -> None:
        if not block.text:
            return
        section, level = enter(block, self.section, self.level)
        self.leave(block.level)
        self.section, self.level = section, level
        part: Part | bool | None = None
        if section is Section.OTHER:
            part = part_of_heading(block.text)
            if part is None and self.headings:
                part = self.headings[-1].part
        made_of_text = block.level > PLAIN_LEVEL  # its number may be one of the sentence
        text = block.text if made_of_text else _NUMBERING.sub("", block.text).strip()
        self.headings.append(_Heading(text, block.level, part, says_no_more(text)))

    def _paragraph(self, text: str) -> None:
        """A paragraph stays whole unless its sentences belong to different parts."""
        if self.section is Section.OTHER:
            self._add(self._part_of(text), Kind.PARAGRAPH, text)
            return
        if len(parts := numbered(text)) > 1:
            for part_text in parts:
                self._add(self._part_of(part_text), Kind.ITEM, part_text)
            return
        section, runs = self.section, list[tuple[Part, str]]()
        label: Part | None = None
        for sentence in sentences(text):
            own, _ = labelled(sentence)
            if own is not Section.OPEN:
                self.section = own
                words = sentence.partition(":")[0]
                named = part_of_heading(words)
                label = named if isinstance(named, Part) else None
            part = label or self._part_of(sentence, prose=True)
            if runs and runs[-1][0] is part:
                runs[-1] = (part, f"{runs[-1][1]} {sentence}")
            else:
                runs.append((part, sentence))
        self.section = section
        for part, run in runs:
            if part is Part.RESPONSIBILITIES and len(runs) > 1:
                for sentence in sentences(run):
                    self._add(part, Kind.ITEM, sentence)
            else:
                self._add(part, Kind.PARAGRAPH, run)

    def table(self, rows: Sequence[tuple[str, ...]]) -> None:
        """A table stays whole unless its columns or the first cells of its rows name the parts."""
        columns = columns_of(Block(Kind.ROW, "", cells=rows[0]))
        if Section.OTHER in columns:
            self._columns(rows, columns)
            return
        kept = [row for row in rows if not self._labelled_row(row)]
        part = Part.RESPONSIBILITIES
        if kept and not columns:
            part = self._part_of(" ".join(max(kept, key=lambda row: sum(map(len, row)))))
        for row in kept:
            self._add(part, Kind.ROW, "", row)

    def _columns(self, rows: Sequence[tuple[str, ...]], columns: Sequence[Section]) -> None:
        for at, row in enumerate(rows):
            for cell, column in zip_longest(row, columns[: len(row)], fillvalue=Section.OPEN):
                # Column heads that say no more than the JD's own headings are left out.
                if not isinstance(cell, str) or not cell or (at == 0 and says_no_more(cell)):
                    continue
                tasks = column is Section.TASKS
                part = Part.RESPONSIBILITIES if tasks else requirement_of(cell) or Part.SKILLS
                self._add(part, Kind.ITEM, cell)

    def _labelled_row(self, row: tuple[str, ...]) -> bool:
        label = row[0]
        section = section_of(label) if len(label.split()) <= _LONGEST_HEADING else Section.OPEN
        if len(row) < 2 or section is Section.OPEN or self.section is not Section.OPEN:
            return False
        text = " | ".join(cell for cell in row[1:] if cell)
        part = Part.RESPONSIBILITIES
        if section is Section.OTHER:
            part = _fixed(part_of_heading(label), text)
        self._add(part, Kind.ITEM, text if says_no_more(label) and text else f"{label}: {text}")
        return True

    def _part_of(self, text: str, *, prose: bool = False) -> Part:
        if self.section is Section.TASKS:
            return Part.RESPONSIBILITIES
        if self.section is Section.OTHER:
            return _fixed(self.headings[-1].part if self.headings else True, text)
        if self.lists_tasks:
            return Part.OVERVIEW
        if len(text.split()) >= _LEAST_WORDS_OF_TASK and is_work(text, prose=prose):
            return Part.RESPONSIBILITIES
        return requirement_of(text) or Part.OVERVIEW

    def _heading_part(self) -> Part:
        if self.section is Section.TASKS:
            return Part.RESPONSIBILITIES
        return _fixed(self.headings[-1].part, "")

    def _add(self, part: Part, kind: Kind, text: str, cells: tuple[str, ...] = ()) -> None:
        named = [heading for heading in self.headings if not heading.plain]
        # A heading above says how a requirement is meant ("Preferred"); elsewhere once is enough.
        shown = [h for h in named[:-1] if part in REQUIRED or not h.used] + named[-1:]
        for heading in shown:
            heading.used = True
        theme = " – ".join(heading.text for heading in shown)
        self.entries.append(Entry(part, theme, kind, text, cells))


def _fixed(part: Part | bool | None, text: str) -> Part:
    """The part of a text under a heading of that part; True: the text's own words decide."""
    if part is True:
        return requirement_of(text) or Part.SKILLS
    return part if isinstance(part, Part) else Part.OVERVIEW
