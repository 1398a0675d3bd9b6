from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from etter_dagster.api.schemas import moment
from etter_dagster.model.errors import ValidationFailed

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05T08:30:00Z", NOW - timedelta(minutes=30)),
        ("2026-01-05t08:30:00.500z", NOW - timedelta(minutes=29, seconds=59.5)),
        ("2026-01-05T10:30:00.5+02:00", NOW - timedelta(minutes=29, seconds=59.5)),
        ("2026-01-05T10:30:00 02:00", NOW - timedelta(minutes=30)),
        ("2026-01-05T08:30", NOW - timedelta(minutes=30)),
        ("2026-01-05", NOW - timedelta(hours=9)),
        ("90s", NOW - timedelta(seconds=90)),
        ("30m", NOW - timedelta(minutes=30)),
        ("24h", NOW - timedelta(days=1)),
        ("7d", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(days=14)),
        ("999999w", datetime.min.replace(tzinfo=timezone.utc)),
        (None, None),
    ],
)
def test_a_time_is_rfc_3339_or_how_long_ago(text: str | None, expected: datetime | None) -> None:
    """In UTC at once; a `+` that was not encoded arrives as a space."""
    assert moment("since", text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "5", "1767603600", "now", "1 h", "1y", "-1h", "24H ", "2026-02-30", "20260105", "٣h"),
        *("2026-01-05T25:00:00Z", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"),
    ],
)
def test_anything_else_is_refused_by_the_fields_name(text: str) -> None:
    """A number could be seconds or milliseconds: it is not guessed at."""
    with pytest.raises(ValidationFailed) as refused:
        moment("until", text, NOW)
    assert refused.value.fields[0].field == "until"
