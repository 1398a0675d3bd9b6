"""Dagster's own storage: SQLite with connections kept open, or PostgreSQL, by one setting.

Stock SQLite storage makes an engine, opens, syncs and closes two files for each event: 8-11 ms.
With connections kept, an event takes about 2 ms (`benchmarks/`). The classes rest on Dagster's
private API and are held by tests.
"""

from __future__ import annotations

import fcntl
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as db
from dagster._core.storage.event_log.base import EventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from filelock import FileLock
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool

from etter_dagster.settings import get_settings

if TYPE_CHECKING:
    from etter_dagster.orchestration.storage_postgres import EtterPostgresStorage

HOME_ENV = "DAGSTER_HOME"
_OPEN_FILES = 16  # a webserver looks into many runs, one after the other


@dataclass
class _Together:
    """The transactions of a block of `together`, by file."""

    thread: int
    stack: ExitStack
    connections: dict[str, Connection] = field(default_factory=dict)


class PooledSqliteEventLogStorage(SqliteEventLogStorage):
    """Dagster's event log in SQLite files, the last ones used kept open."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._inherited: list[Engine] = []
        self._tables: set[str] = set()
        self._together: _Together | None = None
        super().__init__(base_dir, inst_data)
        _opened.add(self)

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

    def wipe(self) -> None:
        """Deletes all events; a file that is still open would be written to, and seen by nobody."""
        self._close()
        super().wipe()

    def drop_run_log(self, run_id: str) -> None:
        """Deletes the file of a run's own log; what assets show of it is in another."""
        with self._db_lock:
            if (engine := self._engines.pop(run_id, None)) is not None:
                engine.dispose()
            self._initialized_dbs.discard(run_id)
            for ending in ("", "-wal", "-shm"):
                Path(self.path_for_shard(run_id) + ending).unlink(missing_ok=True)

    def dispose(self) -> None:
        """Closes the files."""
        self._close()
        super().dispose()

    def forked(self) -> None:
        """Opens all files anew: SQLite allows no use, nor closing, of what the parent opened."""
        self._inherited.extend(self._engines.values())
        self._engines.clear()
        self._together = None
        self._db_lock = threading.Lock()  # a thread that is not here may have held it

    def _close(self) -> None:
        with self._db_lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What this thread stores in the block is committed at its end, once for each file.

        Runs that commit each event wait for each other's lock at each of them: of two runs on two
        cores, the threads that write events waited for more than half of the time.
        """
        with self._db_lock, _turn(Path(self._base_dir) / ".turn.lock"), ExitStack() as stack:
            self._together = _Together(threading.get_ident(), stack)
            try:
                yield
            finally:
                self._together = None

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        together = self._together
        if together is not None and together.thread == threading.get_ident():
            if shard not in together.connections:
                together.connections[shard] = together.stack.enter_context(self._begun(shard))
            yield together.connections[shard]
        else:
            with self._db_lock, self._begun(shard) as connection:
                yield connection

    @contextmanager
    def _begun(self, shard: str) -> Iterator[Connection]:
        """A transaction on the file; the parent's lock is held."""
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


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """One process after the other, at once: SQLite's own wait looks again after up to 100 ms."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


_opened: weakref.WeakSet[PooledSqliteEventLogStorage] = weakref.WeakSet()


def _after_fork() -> None:
    for storage in list(_opened):
        storage.forked()


os.register_at_fork(after_in_child=_after_fork)


def together(storage: EventLogStorage) -> AbstractContextManager[None]:
    """Stores what comes in the block together, where the storage can.

    Args:
        storage: An instance's event log.
    """
    if isinstance(storage, PooledSqliteEventLogStorage):
        return storage.together()
    return nullcontext()


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
        """It takes no config: the settings say where."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> DagsterSqliteStorage | EtterPostgresStorage:
        """As Dagster constructs it."""
        # By the settings, not the environment: the URL may stand in `.env` or a secret's file.
        if url := get_settings().dagster_postgres_url:
            # Here: importing it takes a tenth of a second of every run that does without it.
            from etter_dagster.orchestration.storage_postgres import EtterPostgresStorage

            return EtterPostgresStorage(url.get_secret_value(), inst_data)
        home = os.environ.get(HOME_ENV)
        if not home:
            raise ValueError(f"{HOME_ENV} is not set: name the folder that holds Dagster's state")
        return cls(os.path.abspath(home), inst_data)
