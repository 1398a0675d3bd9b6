"""Cron expressions, checked without Dagster, which settings do not import."""

from __future__ import annotations

import re
from collections.abc import Iterator

_ALIASES = {"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"}
_FIELD = re.compile(r"[0-9A-Za-z*,/#?-]+")
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_NUMBER = re.compile(r"(?<![/#\w])\d+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = re.compile("|".join(("l", *_MONTHS, "sun", "mon", "tue", "wed", "thu", "fri", "sat")))
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # that a month may have
_ANY = ("*", "?")


def cron_schedule(text: str) -> str:
    """The expression, if Dagster takes it and there is ever a time for it.

    Args:
        text: Five fields, or an alias such as `@daily`.

    Raises:
        ValueError: Why not.
    """
    fields = text.split()
    if text in _ALIASES:
        return text
    if len(fields) != len(_BOUNDS) or not all(map(_is_field, fields, _BOUNDS)):
        raise ValueError(
            "must be a cron expression of five fields (minute hour day month weekday), "
            "such as '0 2 * * *'"
        )
    day, month = fields[2].lower(), fields[3].lower()
    # Also where a weekday is given, which would do by itself: Dagster fails over the day then, too.
    if _first_day(day) > max(_DAYS[number - 1] for number in _months(month)):
        raise ValueError(
            f"names a date that never comes: day {day} of month {month}; such as '0 2 * * *' does"
        )
    return text


def _is_field(field: str, bounds: tuple[int, int]) -> bool:
    low, high = bounds
    names = re.findall(r"(?<!\w)[A-Za-z]+", field.lower())
    return (
        _FIELD.fullmatch(field) is not None
        and all(low <= int(number) <= high for number in _NUMBER.findall(field))
        and all(map(_NAME.fullmatch, names))
        and not re.search(r"/0*(?:\D|$)", field)
    )


def _first_day(field: str) -> int:
    """The earliest day of a month; 1 where that cannot be told, such as of `L`."""
    firsts = []
    for part in field.split(","):
        first, _, last = part.partition("/")[0].partition("-")
        over_its_end = last.isdigit() and first.isdigit() and int(last) < int(first)
        firsts.append(int(first) if first.isdigit() and not over_its_end else 1)
    return min(firsts)


def _months(field: str) -> Iterator[int]:
    """The months, each step counted from the first of its range."""
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if first in _ANY or not (begin := _month(first)):
            begin, end = 1, 12
        else:
            end = _month(last) or (12 if step else begin)
        end += 12 if end < begin else 0
        yield from ((number - 1) % 12 + 1 for number in range(begin, end + 1, int(step or 1)))


def _month(text: str) -> int:
    """Its number; 0 where there is none."""
    if text in _MONTHS:
        return _MONTHS.index(text) + 1
    return int(text) if text.isdigit() else 0
