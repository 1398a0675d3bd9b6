"""Dagster's storage in PostgreSQL, its event log with connections kept open.

Stock storage opens a connection for each event, and a second one within it to ask whether the
table of tags exists. `storage.py` says when this is used; it is imported only then.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.utils import create_pg_engine
from sqlalchemy.engine import Connection, make_url

_KEPT = 2  # a process: its event writer, and what else looks meanwhile
_MORE = 20  # for moments; closed after use
_RECYCLE_SECONDS = 3600


class PooledPostgresEventLogStorage(PostgresEventLogStorage):
    """Dagster's event log in PostgreSQL; a server that was restarted is connected to anew."""

    def __init__(self, postgres_url: str) -> None:
        self._tables: set[str] = set()
        super().__init__(postgres_url)
        self._process = os.getpid()
        self._engine = create_pg_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",
            pool_size=_KEPT,
            max_overflow=_MORE,
            pool_recycle=_RECYCLE_SECONDS,
            pool_pre_ping=True,
        )

    def has_table(self, table_name: str) -> bool:
        """Asked for each event that has tags; a table never goes away."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def dispose(self) -> None:
        """Closes the connections."""
        super().dispose()
        self._engine.dispose()

    def _connect(self) -> AbstractContextManager[Connection]:
        if self._process != os.getpid():
            # Forked: the connections are the parent's, which goes on using them.
            self._process = os.getpid()
            self._engine.dispose(close=False)
        return super()._connect()


class EtterPostgresStorage(DagsterPostgresStorage):
    """Dagster's storage in one PostgreSQL database.

    Args:
        postgres_url: As users write it; the driver is set here.
        inst_data: How Dagster was told of the storage.
    """

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        # SQLAlchemy 2.1 takes psycopg 3 where no driver is named; Dagster brings psycopg2.
        named = make_url(postgres_url).set(drivername="postgresql+psycopg2")
        url = named.render_as_string(hide_password=False)
        super().__init__(postgres_url=url, inst_data=inst_data)
        self._event_log_storage = PooledPostgresEventLogStorage(url)

    def dispose(self) -> None:
        """Closes the connections."""
        self._event_log_storage.dispose()
        self._run_storage.dispose()
        self._schedule_storage.dispose()
