"""PostgreSQL away while a role is reported: an outage, not a failure of the role."""

from __future__ import annotations

import sqlite3

import psycopg2
import pytest
import sqlalchemy as db

from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.orchestration.reporter import DagsterReporter
from etter_dagster.orchestration.storage_away import storage_away_said

ADDRESS = "connection to server at 10.0.0.7 failed"


def wrapped(cause: Exception) -> Exception:
    """As SQLAlchemy raises what a driver raised."""
    return db.exc.OperationalError("SELECT 1", {}, cause)


def deeply(cause: Exception) -> Exception:
    """As Dagster raises what SQLAlchemy raised."""
    outer = RuntimeError("too many retries for DB connection")
    outer.__cause__ = wrapped(cause)
    return outer


@pytest.mark.parametrize("kind", [psycopg2.OperationalError, psycopg2.InterfaceError])
@pytest.mark.parametrize("as_raised", [lambda error: error, wrapped, deeply])
def test_a_broken_connection_is_an_outage_however_it_is_wrapped(kind, as_raised) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(StoreUnavailable) as said, storage_away_said():
        raise as_raised(kind(ADDRESS))
    assert "10.0.0.7" not in str(said.value)
    assert said.value.__cause__ is None


@pytest.mark.parametrize(
    "error",
    [
        wrapped(sqlite3.OperationalError("no such table")),
        db.exc.ProgrammingError("SELECT 1", {}, psycopg2.ProgrammingError("no such column")),
        KeyError("x"),
    ],
)
def test_what_would_be_the_same_at_the_next_try_stays_an_error(error: Exception) -> None:
    """Given back, such a push would be walked for ever."""
    with pytest.raises(type(error)), storage_away_said():
        raise error


async def test_the_reporter_says_so_of_all_that_it_writes() -> None:
    def away(*_: object) -> None:
        raise wrapped(psycopg2.OperationalError(ADDRESS))

    reporter = DagsterReporter(
        log_event=away,
        newest_event=away,
        plan=away,
        plan_for=away,
        ensure_partitions=away,
        parents={},
    )
    try:
        with pytest.raises(StoreUnavailable):
            await reporter.claimed(["r"])
        with pytest.raises(StoreUnavailable):
            await reporter.failed("r", ["ai_assessment"])
        with pytest.raises(StoreUnavailable):
            await reporter.given_up("r", "run", ["ai_assessment"])
    finally:
        reporter.close()
