"""Times as stores without a type for them keep them: whole microseconds since 1970."""

from __future__ import annotations

from datetime import datetime, timezone


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return round(moment.timestamp() * 1e6)


def moment(value: int) -> datetime:
    """The UTC time of `micros`."""
    return datetime.fromtimestamp(value / 1e6, timezone.utc)
