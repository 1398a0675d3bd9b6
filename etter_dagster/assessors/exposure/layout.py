"""A cleaned document's lines to blocks: headings, list items, table rows, paragraphs.

Markdown and plain text alike. What a block is about is not known here, but for headings that
carry no mark and are recognized by their words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from etter_dagster.assessors.exposure.cleaning import readable
from etter_dagster.assessors.exposure.doers import is_task_like
from etter_dagster.assessors.exposure.listing import bulleted_lines
from etter_dagster.assessors.exposure.sections import (
    Section,
    says_section,
    section_of,
    whole_section_of,
)
from etter_dagster.assessors.exposure.sentences import is_fact


class Kind(Enum):
    """What a block is."""

    HEADING = "heading"
    ITEM = "item"
    ROW = "row"
    PARAGRAPH = "paragraph"
    FACT = "fact"
    """A field of the posting: "Location: Leeds"."""


@dataclass(frozen=True)
class Block:
    """A block of a document, its text readable."""

    kind: Kind
    text: str
    level: int = 0
    """Of a heading: 1 is the highest; headings without `#` are below all that have one."""
    cells: tuple[str, ...] = ()
    """Of a table row."""
    mark: str = ""
    """Of a list item: what stood before it, as `-` or `2.1`."""


PLAIN_LEVEL = 7
_ATX = re.compile(r"(#{1,6})\s*(\S.{0,300})$")
_BULLET = re.compile(
    r"(?:[-*+•·▪▫■□●○◦◆◇►▶▸‣⁃∙❖➢➤✓✔★☐→»–—・※\uf0b7\uf0a7\uf0d8]|o(?=\s)|>{1,2}(?=\s)"
    r"|[\u2600-\u27bf\U0001f300-\U0001faff]\ufe0f?"
    r"|\(?(?:\d{1,3}(?:\.\d{1,2}){0,3}|[a-zA-Z]|[ivx]{1,5})[.):](?=\s)"
    r"|\d{1,3}(?:\.\d{1,2}){1,3}(?=\s)"
    r"|\(?\d{1,3} ?%\)?(?:\s*[-:–—](?=\s)|(?=\s+[A-Z])))"
    r"(?:\s*\[[ xX]\])?(?:\s+(?=[^\s#=-])|(?<!\*)(?=[^\s*#=_-]))"
)
_PICTURES = re.compile(r"^[ \t]*[\u2600-\u27bf\U0001f300-\U0001faff]\ufe0f?[ \t]+", re.MULTILINE)
_LONGEST_HEADING = 8
_LEAST_SENTENCE = 60
_BOLD_LINE = re.compile(r"(?:\*\*\*?|__)(.{2,80}?)(?:\*\*\*?|__)\s*:?$")
_DECORATED = re.compile(
    r"(?:[-=~*#•–—+_]{2,}|[【\[«])\s*(\w[^\[\]【】«»]{1,60}?)\s*(?:[-=~*#•–—+_]{2,}|[】\]»])\s*:?$"
)
_RULE = re.compile(r"(?:[-=_*~•]\s*){3,}$")
_TABLE_RULE = re.compile(r"[|:\s+-]+$")
_INLINE_HEADING = re.compile(
    r"(?:\*\*|__)?([A-Za-z][A-Za-z&,/' -]{3,40}?)(?:\*\*|__)?\s*:(?:\*\*|__)?\s+(?=\S)"
)
_BOLD_LEAD = re.compile(r"(?:\*\*|__)([^*_]{3,60}?)(?:[.:](?:\*\*|__)|(?:\*\*|__)[.:])\s+(?=\S)")
_ENDS_SENTENCE = (".", "!", "?", ";")


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a cleaned text, in order."""
    lines: list[str] = []
    indented: list[bool] = []
    pictures = Counter(match.group() for match in _PICTURES.finditer(text))
    for line in text.split("\n"):
        if (picture := _PICTURES.match(line)) and pictures[picture.group()] == 1:
            line = line[picture.end() :]  # decoration; those before the items of a list are alike
        parts = bulleted_lines(line.strip())
        lines += parts
        indented += [line[:1] in (" ", "\t")] * len(parts)
    at, begun = 0, False
    while at < len(lines):
        if not lines[at] or _is_rule(lines[at]):
            at += 1
            continue
        under = lines[at + 1] if at + 1 < len(lines) else ""
        heading = _heading(lines[at], under)
        if heading is None and begun and (not lines[at - 1] or _is_sentence(lines[at - 1])):
            heading = _heading_alone(lines[at], lines[at + 1 : at + 3])
        begun = True
        if heading:
            yield heading
            at += 1
        elif cells := _cells(lines[at]):
            yield Block(Kind.ROW, "", cells=cells)
            at += 1
        elif bullet := _BULLET.match(lines[at]):
            end = _end_of_item(lines, indented, at + 1)
            text = " ".join([lines[at][bullet.end() :], *lines[at + 1 : end]])
            yield from _item(text, bullet.group().strip())
            at = end
        else:
            end = _end_of_paragraph(lines, at + 1)
            yield from _paragraph(lines[at:end])
            at = end


def _is_rule(line: str) -> bool:
    return line[0] in "-=_*~•|+:" and bool(_RULE.match(line) or _TABLE_RULE.match(line))


def _heading(line: str, under: str) -> Block | None:
    if line[0] == "#" and (match := _ATX.match(line)):
        return Block(Kind.HEADING, readable(match[2].rstrip("# ")).rstrip(":"), len(match[1]))
    if len(line) > 100:
        return None
    if len(under) >= 3 and not under.strip("=-") and len(set(under)) == 1 and not _cells(line):
        return Block(Kind.HEADING, readable(line), 1 if under[0] == "=" else 2)
    bold = _BOLD_LINE.match(line) or _DECORATED.match(line)
    plain = readable(bold[1] if bold else line)
    words = plain.rstrip(" :?")
    if not words:
        return None
    marked = (
        bold
        or _is_shouted(words)
        or (line.endswith((":", "?")) and section_of(words) is not Section.OPEN)
    )
    numbered = _numbered_heading(line, under)
    if _BULLET.match(line) and not bold and not numbered:
        return None
    if numbered or (marked and len(words.split()) <= 12):
        return Block(Kind.HEADING, words, PLAIN_LEVEL)
    if says_section(words) and not line.endswith(_ENDS_SENTENCE):
        return Block(Kind.HEADING, words, PLAIN_LEVEL)
    return None


def _heading_alone(line: str, below: list[str]) -> Block | None:
    """A short line with nothing above that says what the lines below are, mark or none."""
    words = readable(line).rstrip(" :")
    if not words or len(words.split()) > _LONGEST_HEADING or line.endswith(_ENDS_SENTENCE[:2]):
        return None
    first, second = [*below, "", ""][:2]
    if _BULLET.match(line) or _cells(line) or is_fact(line):
        return None
    if is_task_like(words):
        return None
    section = section_of(words)
    follows = first or second
    speaks = bool(_BULLET.match(follows)) or follows.endswith(_ENDS_SENTENCE) or len(follows) > 80
    if section is Section.OPEN:
        named = speaks and line[0].isupper() and (_is_titled(words) or _is_sentence(first))
    else:
        named = speaks or bool(first) or section is Section.TASKS
    return Block(Kind.HEADING, words, PLAIN_LEVEL) if named else None


def _is_titled(words: str) -> bool:
    """Whether a line looks like a heading, whatever it says: "Your caseload"."""
    split = words.split()
    return len(split) <= 3 or (len(split) <= 6 and all(w[0].isupper() for w in split if len(w) > 3))


def _is_sentence(line: str) -> bool:
    return line.endswith((".", "!")) and len(line) >= _LEAST_SENTENCE


def _numbered_heading(line: str, under: str) -> bool:
    """Whether the line is like "2. RESPONSIBILITIES", or "3) Context" above a sentence."""
    match = _BULLET.match(line)
    if not match or not line[0].isalnum():
        return False
    words = readable(line[match.end() :]).rstrip(" :")
    if whole_section_of(words) is not Section.OPEN:
        return True
    short = len(words.split()) <= _LONGEST_HEADING and not line.endswith(_ENDS_SENTENCE)
    if not line[0].isdigit() or not short or not under or _BULLET.match(under):
        return False
    return (_is_sentence(under) or section_of(words) is not Section.OPEN) and not is_task_like(
        words
    )


def _is_shouted(words: str) -> bool:
    letters = [c for c in words if c.isalpha()]
    return (
        len(letters) >= 4 and len(words) <= 70 and words.upper() == words and words.lower() != words
    )


def _cells(line: str) -> tuple[str, ...]:
    if line.count("|") >= 2 or line[0] == "|":
        parts = line.strip("|").split("|")
    elif "\t" in line and not _BULLET.match(line):
        parts = line.split("\t")
    else:
        return ()
    cells = tuple(readable(part) for part in parts)
    return cells if any(cells) and (len(parts) > 1 or line[0] == "|") else ()


def _starts_block(line: str, under: str) -> bool:
    return bool(
        not line or _is_rule(line) or _BULLET.match(line) or _cells(line) or _heading(line, under)
    )


def _end_of_item(lines: list[str], indented: list[bool], at: int) -> int:
    """Where the lines end that continue a list item: indented, or in the middle of a sentence."""
    while at < len(lines):
        under = lines[at + 1] if at + 1 < len(lines) else ""
        if _starts_block(lines[at], under) or not (indented[at] or lines[at][0].islower()):
            break
        at += 1
    return at


def _end_of_paragraph(lines: list[str], at: int) -> int:
    while at < len(lines):
        if _starts_block(lines[at], lines[at + 1] if at + 1 < len(lines) else ""):
            break
        if _is_sentence(lines[at - 1]) and _heading_alone(lines[at], lines[at + 1 : at + 3]):
            break
        at += 1
    return at


def _item(line: str, mark: str) -> Iterator[Block]:
    if text := readable(line):
        yield Block(Kind.ITEM, text, mark=mark)


def _paragraph(lines: list[str]) -> Iterator[Block]:
    """One paragraph, or one item per line where the lines are an unmarked list."""
    begin = 0
    for at, line in enumerate(lines):
        if is_fact(readable(line)):
            yield from _plain(lines[begin:at])
            yield Block(Kind.FACT, readable(line))
            begin = at + 1
        elif match := _inline_heading(line):
            yield from _plain(lines[begin:at])
            yield Block(Kind.HEADING, readable(match[1]), PLAIN_LEVEL)
            begin, lines[at] = at, line[match.end() :]
    yield from _plain(lines[begin:])


def _plain(lines: list[str]) -> Iterator[Block]:
    if not lines:
        return
    capital = sum(line[0].isupper() for line in lines)
    if len(lines) >= 2 and capital >= 0.8 * len(lines):
        for line in lines:
            yield Block(
                Kind.PARAGRAPH if line.endswith(_ENDS_SENTENCE) else Kind.ITEM, readable(line)
            )
    elif text := readable(" ".join(lines)):
        yield Block(Kind.PARAGRAPH, text)


def _inline_heading(line: str) -> re.Match[str] | None:
    match = _BOLD_LEAD.match(line)
    if match and (section_of(match[1]) is not Section.OPEN or says_section(match[1])):
        return match
    match = _INLINE_HEADING.match(line)
    if not match:
        return None
    says = section_of(match[1]) is not Section.OPEN and len(match[1].split()) <= 5
    return match if says or _is_shouted(match[1]) else None
