"""A cue: a pattern whose matches in a text are worth points."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice


@dataclass(frozen=True)
class Cue:
    """Worth `points` once where `pattern` matches at least `least` times."""

    pattern: re.Pattern[str]
    points: int = 1
    least: int = 1
    as_written: bool = False
    """Whether it is looked for in the text as it is; else in lower case, which is faster than a
    pattern that ignores case."""

    def found(self, text: str, lowered: str) -> int:
        """The points that a text gets."""
        found = islice(self.pattern.finditer(text if self.as_written else lowered), self.least)
        return self.points if len(list(found)) == self.least else 0


def cue(pattern: str, points: int = 1, least: int = 1) -> Cue:
    """A cue in lower case, for letters of either case; `^` and `$` match at lines."""
    return Cue(re.compile(pattern, re.MULTILINE), points, least)


def exact(pattern: str, points: int = 1, least: int = 1) -> Cue:
    """A cue whose letters match as they are."""
    return Cue(re.compile(pattern, re.MULTILINE), points, least, as_written=True)


def total(cues: Iterable[Cue], text: str, *, enough: int | None = None) -> int:
    """The points of all cues together; no more are looked for once there are `enough`."""
    points, lowered = 0, text.lower()
    for one in cues:
        points += one.found(text, lowered)
        if enough is not None and points >= enough:
            break
    return points
