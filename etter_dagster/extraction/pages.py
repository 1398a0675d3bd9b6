"""The lines of printed pages as the text that was printed.

What a browser or a word processor prints around each page goes; a sentence that was wrapped to the
width of the page becomes one line again. What the text says is not known here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

_EDGE = 3  # lines at the top and at the bottom of a page that may be printed around it
_LONGEST_RUNNING = 100
_FULL = 0.75  # of the longest line: letters differ in width, and lists are indented
_LEAST_FULL = 40  # no page is so narrow that shorter lines were wrapped
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)
_NUMBER = r"(?:(?:page|seite)\s+)?\d{1,4}(?:\s*(?:/|of|von)\s*\d{1,4})?"
_STAMP = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4},?\s+\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?:\s?[AP]M)?"
_ADDRESS = r"(?:(?:https?|file)://|about:|data:)\S+"
_FURNITURE = re.compile(
    rf"[-–—]?\s*{_NUMBER}\s*[-–—]?|{_STAMP}(?:\s.{{0,300}})?"
    rf"|(?:{_NUMBER}\s+){_STAMP}|{_ADDRESS}(?:\s+{_NUMBER})?",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")
_BULLETS = frozenset("•·▪▫■□●○◦◆◇►▶▸‣⁃∙❖➢➤✓✔–-*\uf0b7\uf0a7\uf0d8")
_LETTERED_ITEM = re.compile(r"(?:o|[a-z][.):]|[ivx]{1,5}[.):])\s")


def text_of_pages(pages: Iterable[str]) -> str:
    """The text without running headers and footers, its wrapped lines joined.

    Args:
        pages: The text of each page, line by line.
    """
    lines = [
        [line.strip() for line in page.translate(_LIGATURES).split("\n") if line.strip()]
        for page in pages
    ]
    bare = _without_running([_without_furniture(page) for page in lines if page])
    return "\n".join(_unwrapped([line for page in bare for line in page]))


def _without_furniture(lines: list[str]) -> list[str]:
    """The page without numbers, addresses and times of printing at its edges."""
    edge = {*range(_EDGE), *range(len(lines) - _EDGE, len(lines))}
    kept = [
        line for at, line in enumerate(lines) if at not in edge or not _FURNITURE.fullmatch(line)
    ]
    return kept or lines  # a page of nothing else was meant


def _without_running(pages: list[list[str]]) -> list[list[str]]:
    """The pages without the first and last lines that come back on all, or all but one.

    The first page keeps its own first line, which may be the title of the whole.
    """
    if len(pages) < 2 or any(len(page) < 3 for page in pages[:-1]):
        return pages
    least = max(2, len(pages) - 1)
    heads = Counter(_key(page[0]) for page in pages)
    feet = Counter(_key(page[-1]) for page in pages)
    found = []
    for number, page in enumerate(pages):
        begin = int(number > 0 and _may_run(page[0]) and heads[_key(page[0])] >= least)
        end = len(page) - int(_may_run(page[-1]) and feet[_key(page[-1])] >= least)
        found.append(page[begin:end])
    return found


def _key(line: str) -> str:
    return _DIGITS.sub("#", line)


def _may_run(line: str) -> bool:
    return len(line) <= _LONGEST_RUNNING and not line[0].islower() and line[0] not in _BULLETS


def _unwrapped(lines: Sequence[str]) -> list[str]:
    full = max(_LEAST_FULL, _FULL * max(map(len, lines), default=0))
    found: list[str] = []
    before = ""  # the line above as it was printed
    for line in lines:
        if before in _BULLETS or _goes_on(before, line, full):
            found[-1] += f" {line}"
        else:
            found.append(line)
        before = line
    return found


def _goes_on(before: str, line: str, full: float) -> bool:
    """Whether the line was begun only because its first word had no room in the one above."""
    if not line[0].islower() or _LETTERED_ITEM.match(line) or before.endswith((".", ":", ";")):
        return False
    return len(before) + 1 + len(line.split(maxsplit=1)[0]) >= full
