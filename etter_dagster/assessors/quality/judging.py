"""`judge`: what a document is, with the reason and what helps."""

from __future__ import annotations

import re
from dataclasses import dataclass

from etter_dagster.assessors.exposure.cleaning import clean
from etter_dagster.assessors.quality.cues import total
from etter_dagster.assessors.quality.kinds import KINDS
from etter_dagster.assessors.quality.shape import shape_of
from etter_dagster.assessors.quality.signs import SIGNS
from etter_dagster.assessors.quality.work import says_no_work

LOOKED_AT = 8_000  # characters; what a document is shows at its beginning
ENOUGH_SIGNS = 6  # of a JD, above which nothing else is looked for
LEAST_POINTS = 4  # of a kind's signs, below which nothing is said
MOST_SIGNS_OF_SHAPES = 2  # of a JD, in a text whose shape is that of something else
LEAST_LEAD = 1  # of a kind's points over those of a JD
# Of what is no word: cues begin to look at each of its lines.
_LONG_RUN = re.compile(r"(\W{60})\W+")
REMEDY = (
    "give the role's job description; if this is one, link it with the type `other`, "
    "which is not checked"
)


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
    """Says what a document is, by its own words and shape.

    Args:
        text: The document.
    """
    text = clean(text[:LOOKED_AT])
    said = _LONG_RUN.sub(r"\1", text)
    signs = total(SIGNS, said, enough=ENOUGH_SIGNS)
    if signs >= ENOUGH_SIGNS:
        return Verdict(None, signs=signs)
    points, kind = max(
        ((total(kind.cues, said), kind.name) for kind in KINDS), key=lambda pair: pair[0]
    )
    if points >= LEAST_POINTS and points >= signs + LEAST_LEAD:
        return Verdict(kind, points, signs)
    shape = shape_of(text)
    if shape is not None and signs <= MOST_SIGNS_OF_SHAPES:
        return Verdict(shape, LEAST_POINTS, signs)
    if signs == 0 and says_no_work(text):
        return Verdict(
            "a text about something else, for it says nothing that anybody does", signs=0
        )
    return Verdict(None, points, signs)
