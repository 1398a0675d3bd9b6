"""`judge`: what a document is, with the reason and what helps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from etter_dagster.assessors.exposure.cleaning import clean
from etter_dagster.assessors.quality.cues import total
from etter_dagster.assessors.quality.kinds import KINDS
from etter_dagster.assessors.quality.signs import SIGNS

LOOKED_AT = 8_000  # characters; what a document is shows at its beginning
ENOUGH_SIGNS = 6  # of a JD, above which nothing else is looked for
LEAST_POINTS = 4  # of a kind's signs, below which nothing is said
LEAST_LEAD = 1  # of a kind's points over those of a JD
REMEDY = (
    "give the role's job description; if this is one, link it with the type `other`, "
    "which is not checked"
)
_LEFT_OVERS = re.compile(r"\bpage \d+(?: of \d+)?\b|\[?\b(?:image|figure|logo)\b\]?", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3,}|[\u3040-\u9fff\uac00-\ud7af]")
_SYMBOL = re.compile(r"[^\w\s]")


@dataclass(frozen=True)
class Verdict:
    """What a document was found to be; `kind` is None for a JD, or what may be one."""

    kind: str | None
    points: int = 0
    signs: int = 0
    """Of a JD."""

    @property
    def is_jd(self) -> bool:
        """Whether it may be assessed."""
        return self.kind is None

    @property
    def reason(self) -> str:
        """For people; empty for a JD."""
        if self.kind is None:
            return ""
        return f"the document is no job description: it looks like {self.kind}; {REMEDY}"


def judge(text: str) -> Verdict:
    """Says what a document is, by its own words.

    Args:
        text: The document.
    """
    text = clean(text[:LOOKED_AT])
    if _is_empty(text):
        return Verdict("an empty page or a scan without text", LEAST_POINTS)
    if _is_data(text):
        return Verdict("a table of data", LEAST_POINTS)
    signs = total(SIGNS, text, enough=ENOUGH_SIGNS)
    if signs >= ENOUGH_SIGNS:
        return Verdict(None, signs=signs)
    points, kind = max(
        ((total(kind.cues, text), kind.name) for kind in KINDS), key=lambda pair: pair[0]
    )
    refused = points >= LEAST_POINTS and points >= signs + LEAST_LEAD
    return Verdict(kind if refused else None, points, signs)


def _is_empty(text: str) -> bool:
    rest = _LEFT_OVERS.sub("", text)
    if _WORD.search(rest):
        return False
    return rest.strip() != rest or not rest or len(_SYMBOL.findall(rest)) >= 3


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
