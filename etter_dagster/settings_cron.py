"""Cron expressions, checked without Dagster, which settings do not import: what it cannot plan by
would keep its code location from loading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_ALIASES = {"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # that a month may have
_SPAN = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/0*([1-9]\d*))?", re.ASCII)


class _Field(NamedTuple):
    """What one of the five may hold; `special` is what stands beside numbers, names and spans."""

    low: int
    high: int
    names: tuple[str, ...] = ()
    special: str = "(?!)"

    def number(self, text: str) -> int | None:
        """A number or a name; None for anything else."""
        if text in self.names:
            return self.low + self.names.index(text)
        legal = text.isascii() and text.isdigit() and self.low <= int(text) <= self.high
        return int(text) if legal else None

    def span(self, part: str) -> range | None:
        """The numbers of a part, over the end and on from the beginning; None if it is none."""
        found = _SPAN.fullmatch(part)
        if found is None:
            return None
        first = self.low if found[1] else self.number(found[2])
        last = self.number(found[3]) if found[3] else first
        if first is None or last is None:
            return None
        if found[1] or (found[4] and not found[3]):
            last = self.high
        over = self.high - self.low + 1 if last < first else 0
        return range(first, last + over + 1, int(found[4] or 1))

    def takes(self, text: str) -> bool:
        """Whether all parts are legal."""
        return all(
            self.span(part) is not None or re.fullmatch(self.special, part)
            for part in text.split(",")
        )

    def values(self, text: str) -> Iterator[int]:
        """The numbers of all parts but special ones."""
        for part in text.split(","):
            for number in self.span(part) or ():
                yield (number - self.low) % (self.high - self.low + 1) + self.low


_DAY = _Field(1, 31, special="l")
_MONTH = _Field(1, 12, names=_MONTHS)
_NTH = rf"l[0-7]|(?:[0-7]|{'|'.join(_WEEKDAYS)})#[1-5]"  # the last one, or the n-th, of a month
_WEEKDAY = _Field(0, 7, names=_WEEKDAYS, special=_NTH)
_FIELDS = (_Field(0, 59), _Field(0, 23), _DAY, _MONTH, _WEEKDAY)


def cron_schedule(text: str) -> str:
    """The expression, if Dagster takes it and there is ever a time for it.

    Args:
        text: Five fields, or an alias such as `@daily`.

    Raises:
        ValueError: Why not.
    """
    if text in _ALIASES:
        return text
    fields = text.lower().split()
    for place in (2, 4):  # of day and weekday, one may be left open
        if fields[place : place + 1] == ["?"]:
            fields[place] = "*"
    if len(fields) != len(_FIELDS) or not all(map(_Field.takes, _FIELDS, fields)):
        raise ValueError(
            "must be a cron expression of five fields (minute hour day month weekday), "
            "such as '0 2 * * *'"
        )
    _, _, day, month, weekday = fields
    # Also where a weekday is given, which would do by itself: Dagster fails over the day then, too.
    longest = max(_DAYS[number - 1] for number in _MONTH.values(month))
    if "l" not in day.split(",") and min(_DAY.values(day)) > longest:
        raise ValueError(
            f"names a date that never comes: day {day} of month {month}; such as '0 2 * * *' does"
        )
    if day != "*" and re.search("[#l]", weekday):
        raise ValueError(
            f"names a day of the month ({day}) and the n-th weekday ({weekday}); give one"
        )
    return text
