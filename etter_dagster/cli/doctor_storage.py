"""The doctor's look at PostgreSQL, where Dagster's storage is there: without it no run starts."""

from __future__ import annotations

from collections.abc import Iterator

from etter_dagster.cli.doctor_checks import Check
from etter_dagster.settings import Settings

_NAME = "Dagster's storage"
_SECONDS = 5
_REMEDY = "check ETTER_DAGSTER_POSTGRES_URL, and that PostgreSQL is running"
# Behind one of these stands what is wrong; before it, the address.
_REASONS = ("FATAL:", "SSL error:")


def check_storage(settings: Settings) -> Iterator[Check]:
    """Whether PostgreSQL lets Etter in; nothing where the storage is SQLite.

    Args:
        settings: Say where it is.
    """
    if settings.dagster_postgres_url is None:
        return
    import psycopg2

    try:
        psycopg2.connect(
            settings.dagster_postgres_url.get_secret_value(), connect_timeout=_SECONDS
        ).close()
    except psycopg2.Error as error:
        yield Check(_NAME, "unreachable", _reason(str(error)), _REMEDY)
    else:
        yield Check(_NAME, "ok", "answers")


def _reason(text: str) -> str:
    for mark in _REASONS:
        if mark in text:
            return text.partition(mark)[2].strip().splitlines()[0]
    return "does not answer"
