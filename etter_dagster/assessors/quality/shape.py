"""What a text is by its shape alone, whatever its words: nothing, rows of data, code, figures."""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST_SYMBOLS = 0.15  # of a text's marks; no JD of the set has half of it
MOST_DIGITS = 0.16
LEAST_AMOUNTS = 5  # or dates, times, measures: a number in a task has no mark in it
_LEFT_OVERS = re.compile(r"\bpage \d+(?: of \d+)?\b|\[?\b(?:image|figure|logo)\b\]?", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3,}|[\u3040-\u9fff\uac00-\ud7af]")
_NO_LETTER = re.compile(r"[^\w\s]")
_CODE = re.compile(r"[{}\[\]()<>=;_/\\$\"`^~@+&%]")
_AMOUNT = re.compile(r"\d[.,:/-]\d")
_LEAST_CHARACTERS = 80


def shape_of(text: str) -> str | None:
    """What a cleaned text is by its shape; None where that says nothing.

    Args:
        text: The document, or its beginning.
    """
    if _is_empty(text):
        return "an empty page or a scan without text"
    if _is_data(text):
        return "a table of data"
    marks = "".join(text.split())
    if len(marks) < _LEAST_CHARACTERS:
        return None
    if len(_CODE.findall(marks)) >= MOST_SYMBOLS * len(marks):
        return "program code or configuration"
    digits = sum(map(str.isdecimal, marks))
    if digits >= MOST_DIGITS * len(marks) and len(_AMOUNT.findall(text)) >= LEAST_AMOUNTS:
        return "a list of figures"
    return None


def _is_empty(text: str) -> bool:
    rest = _LEFT_OVERS.sub("", text)
    if _WORD.search(rest):
        return False
    return rest.strip() != rest or not rest or len(_NO_LETTER.findall(rest)) >= 3


def _is_data(text: str) -> bool:
    """Rows of the same number of short cells, some of them numbers."""
    lines = [line for line in text.split("\n") if line.strip()]
    return len(lines) >= 4 and any(_are_rows(lines, separator) for separator in ",;\t")


def _are_rows(lines: Sequence[str], separator: str) -> bool:
    counts = {line.count(separator) for line in lines}
    if len(counts) != 1 or counts.pop() < 2:
        return False
    cells = [cell.strip() for line in lines for cell in line.split(separator)]
    words = sum(len(cell.split()) for cell in cells) / len(cells)
    numbers = sum(any(map(str.isdecimal, cell)) for cell in cells)
    return words <= 2.5 and numbers >= len(cells) / 5
