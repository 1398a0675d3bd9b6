"""A moving window over a minute, in buckets of a second: never more than the limit in any minute.

A window of whole seconds needs 61 numbers at most, whatever the limit is; exact times would need
one for each request.
"""

from __future__ import annotations

from collections.abc import Iterable

WINDOW_SECONDS = 60


def first_counted(now: float) -> int:
    """The earliest second whose requests still count."""
    return int(now) - WINDOW_SECONDS


def pause(buckets: Iterable[tuple[int, int]], limit: int, now: float) -> float:
    """Seconds until another request is within the limit; 0 if it is now.

    Args:
        buckets: (second, requests in it), in any order; those that no longer count may be there.
        limit: Requests a minute.
        now: The present, in seconds.
    """
    counted = sorted((s, n) for s, n in buckets if s >= first_counted(now))
    too_many = sum(n for _, n in counted) - limit + 1
    for second, number in counted:
        if too_many <= 0:
            break
        too_many -= number
        if too_many <= 0:
            return second + WINDOW_SECONDS + 1 - now
    return 0.0
