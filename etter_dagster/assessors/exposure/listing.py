"""Lists that stand inside one line: "(1) ...; (2) ...", "a; b; c", "• a • b", "Duties: ...".

What a part is about is not known here, but for the section words that introduce it.
"""

from __future__ import annotations

import re

from etter_dagster.assessors.exposure.sections import Section, whole_section_of

_INNER_BULLET = re.compile(r"(?:(?<=\s)|(?<=[.;:]))[•▪■●◦‣➢✓✔\uf0b7]\s*(?=\w)")
_NUMBER = re.compile(r"(?:^|(?<=\s))\((?:\d{1,2}|[a-z]|[ivx]{2,4})\)\s+")
_AND_BEFORE = re.compile(r"[;,]?(?:\s+(?:and|or))?[\s;,]*$")
_AND_AFTER = re.compile(r"^(?:and|or)\s+")
_LABEL = re.compile(
    r"(?:\*\*|__)?([A-Za-z][A-Za-z,&/' -]{2,50}?)(?:\*\*|__)?\s*[:.](?:\*\*|__)?\s+(?=\S)"
)
_LEAST_WORDS = 2
_LONGEST_LABEL = 4


def bulleted_lines(line: str) -> list[str]:
    """One line per bullet of a line that holds several: text from a PDF often comes so."""
    places = [match.start() for match in _INNER_BULLET.finditer(line)]
    if len(places) < 2:
        return [line]
    ends = [*places[1:], len(line)]
    parts = [line[: places[0]], *(line[a:b] for a, b in zip(places, ends, strict=True))]
    lines: list[str] = []
    for part in map(str.strip, parts):
        lines += _without_next_label(part)
    return [line for line in lines if line]


def _without_next_label(part: str) -> list[str]:
    """Part an item from the label of what comes next: "Deploy releases Requirements:"."""
    if not part.endswith(":"):
        return [part]
    words = part.split()
    for count in range(min(_LONGEST_LABEL, len(words)), 0, -1):
        label = " ".join(words[-count:])
        if whole_section_of(label) is not Section.OPEN:
            return [" ".join(words[:-count]), label]
    return [part]


def numbered(text: str) -> list[str]:
    """The parts of a text that begins with "(1)" and goes on so, each with its number."""
    starts = [match.start() for match in _NUMBER.finditer(text)]
    if len(starts) < 2 or starts[0] != 0:
        return [text]
    return [text[a:b].strip() for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


def labelled(text: str) -> tuple[Section, str]:
    """What the words before a colon say about the rest, and the rest; else the whole text."""
    match = _LABEL.match(text)
    section = whole_section_of(match[1]) if match else Section.OPEN
    return (
        (section, text[match.end() :]) if match and section is not Section.OPEN else (section, text)
    )


def listed(text: str, *, prose: bool) -> list[str]:
    """The parts of a numbered or semicolon-separated list inside one text; else the text alone.

    In prose semicolons also part clauses, so there a list needs numbers, or a colon before it.
    """
    numbers = list(_NUMBER.finditer(text))
    before, colon, after = text.partition(": ")
    announced = bool(colon) and ";" not in before
    if len(numbers) >= 2:
        ends = [*(match.start() for match in numbers[1:]), len(text)]
        parts = [text[match.end() : end] for match, end in zip(numbers, ends, strict=True)]
    elif ";" in text and (announced or not prose):
        parts = (after if announced else text).split(";")
    else:
        return [text]
    parts = [_AND_AFTER.sub("", _AND_BEFORE.sub("", part.strip())) for part in parts]
    parts = [part for part in parts if part]
    is_list = len(parts) >= 2 and all(len(part.split()) >= _LEAST_WORDS for part in parts)
    return parts if is_list else [text]
