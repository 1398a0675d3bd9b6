"""Dagster's own storage: SQLite with connections kept open, or PostgreSQL, by one setting.

Stock SQLite storage makes an engine, opens, syncs and closes two files for each event: 8-11 ms.
With connections kept, an event takes about 2 ms (`benchmarks/`). The classes rest on Dagster's
private API and are held by tests.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as db
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from filelock import FileLock
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.pool import QueuePool

POSTGRES_ENV = "ETTER_DAGSTER_POSTGRES_URL"
HOME_ENV = "DAGSTER_HOME"
_OPEN_FILES = 16  # a webserver looks into many runs, one after the other


class PooledSqliteEventLogStorage(SqliteEventLogStorage):
    """Dagster's event log in SQLite files, the last ones used kept open."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> PooledSqliteEventLogStorage:
        """As Dagster constructs it; the parent's gives an object of the parent's class."""
        return cls(inst_data=inst_data, **config_value)

    def has_table(self, table_name: str) -> bool:
        """Asked for each event that has tags; a table never goes away."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def dispose(self) -> None:
        """Closes the files."""
        with self._db_lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()
        super().dispose()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        """The file's engine; the parent's lock is held."""
        if shard in self._engines:
            self._engines.move_to_end(shard)
            return self._engines[shard]
        engine = db.create_engine(
            self.conn_string_for_shard(shard),
            poolclass=QueuePool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        # Dagster's events can be made anew by working a role again; our own stores sync fully.
        db.event.listen(
            engine, "connect", lambda opened, _: opened.execute("PRAGMA synchronous=NORMAL")
        )
        self._engines[shard] = engine
        if len(self._engines) > _OPEN_FILES:
            self._engines.popitem(last=False)[1].dispose()
        return engine


class EtterStorage(DagsterSqliteStorage):
    """Storage under `DAGSTER_HOME`, or in PostgreSQL where its URL is set."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        # Two processes that make the files at once leave them with two heads of migrations, for
        # good: webserver and daemon start together.
        with FileLock(os.path.join(base_dir, ".storage.lock")):
            super().__init__(base_dir, inst_data)
            self._event_log_storage: SqliteEventLogStorage = PooledSqliteEventLogStorage(
                os.path.join(base_dir, "history", "runs")
            )

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """It takes no config: the environment says where."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> DagsterSqliteStorage | DagsterPostgresStorage:
        """As Dagster constructs it."""
        if url := os.environ.get(POSTGRES_ENV):
            # SQLAlchemy 2.1 takes psycopg 3 where no driver is named; Dagster brings psycopg2.
            named = make_url(url).set(drivername="postgresql+psycopg2")
            return DagsterPostgresStorage(
                postgres_url=named.render_as_string(hide_password=False), inst_data=inst_data
            )
        home = os.environ.get(HOME_ENV)
        if not home:
            raise ValueError(f"{HOME_ENV} is not set: name the folder that holds Dagster's state")
        return cls(os.path.abspath(home), inst_data)
