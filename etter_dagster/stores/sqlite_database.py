"""One SQLite file as an asynchronous store: group commit, readers, migrations, change counter.

Safe from many tasks, threads and processes. Knows no table; `sqlite_queue.py` and
`sqlite_graph.py` bring theirs.
"""

from __future__ import annotations

import asyncio
import os
import queue
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from etter_dagster.model.errors import SchemaMismatch, StoreUnavailable
from etter_dagster.model.near_names import folded
from etter_dagster.stores.sqlite_changes import Changes

T = TypeVar("T")
_BUSY_SECONDS = 30.0
_READERS = 3
_AT_ONCE = 500  # writes in one transaction
_NO_ROOM = "the disk of ETTER_DATA_DIR is full; make room on it"
_FULL = 1 << 20  # bytes; with less left SQLite fails, often with "disk I/O error"


@dataclass
class _Write(Generic[T]):
    act: Callable[[sqlite3.Connection], T]
    done: Future[T]
    result: T | None = None
    error: BaseException | None = None


class SqliteDatabase:
    """A file in WAL mode with full sync: what was written is on disk when the caller hears of it.

    One thread writes: it takes all writes that wait, runs each in a savepoint of its own, and
    commits them together, so that hundreds of tasks share one sync. Nothing is opened before the
    first use.

    Args:
        path: The file; it and its folder are made at first use.
        what: `graph` or `queue`, for errors (a path never stands in one).
        migrations: SQL scripts; the n-th (from 1) brings a file from version n - 1 to n.
        forward: Whether an older file is brought further when it is opened; if not, it is refused
            until `migrate`. A new file is always made.
        durable: Whether each write is synced; without it a power cut may take the last ones.
    """

    def __init__(
        self,
        path: Path,
        what: str,
        migrations: Sequence[str],
        *,
        forward: bool = True,
        durable: bool = True,
    ) -> None:
        self._path = path
        self._what = what
        self._migrations = migrations
        self._forward = forward
        self._synchronous = "FULL" if durable else "NORMAL"
        self._lock = threading.Lock()
        self._writes: queue.SimpleQueue[_Write[Any] | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._changes: Changes | None = None
        self._closed = False

    async def read(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `act` on a connection of a reader thread, in one snapshot.

        Raises:
            StoreUnavailable: The file cannot be used.
        """
        await self._open()
        assert self._readers is not None
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read_here, act)

    async def look(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """The same for a few rows found by an index, on the caller's own thread.

        In WAL mode a reader waits for nobody, and such a read takes less than the way to another
        thread and back.
        """
        await self._open()
        return self._read_here(act)

    async def write(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `act` in a transaction; on return it is on disk. If `act` raises, nothing is.

        Raises:
            StoreUnavailable: The file cannot be used; nothing was written.
        """
        await self._open()
        done: Future[T] = Future()
        self._writes.put(_Write(act, done))
        # A task that is cancelled meanwhile does not take its write back.
        return await asyncio.shield(asyncio.wrap_future(done))

    async def wait_changed(self, since: int, timeout: float) -> int:
        """Waits until a commit of any process after the counter `since`; see `Changes.wait`."""
        await self._open()
        assert self._changes is not None
        with self._translated():
            return await self._changes.wait(since, timeout)

    async def check_schema(self) -> None:
        """Opens the file.

        Raises:
            SchemaMismatch: It has another version, and `forward` does not allow to change that.
        """
        await self._open()

    async def migrate(self) -> tuple[int, int]:
        """Brings the file to the newest version; gives the one before and the one now."""
        return await asyncio.to_thread(self._migrate_now)

    async def close(self) -> None:
        """Ends threads and connections; writes that were handed over are still done."""
        await asyncio.to_thread(self._close)

    def _read_here(self, act: Callable[[sqlite3.Connection], T]) -> T:
        with self._translated():
            connection = self._own_connection()
            connection.execute("BEGIN")
            try:
                return act(connection)
            finally:
                connection.execute("ROLLBACK")

    def _close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
        if self._writer is not None:
            self._writes.put(None)
            self._writer.join()
        if self._readers is not None:
            self._readers.shutdown()
        if self._changes is not None:
            self._changes.close()
        for connection in self._connections:
            connection.close()

    async def _open(self) -> None:
        if self._writer is None:
            await asyncio.to_thread(self._open_now)
        if self._closed:
            raise StoreUnavailable(self._what)

    def _open_now(self) -> None:
        with self._lock, self._translated():
            if self._writer is not None or self._closed:
                return
            self._prepare(forward=self._forward)
            self._changes = Changes(self._connect())
            self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix=f"{self._what}-read")
            self._writer = threading.Thread(
                target=self._write_all, name=f"{self._what}-write", daemon=True
            )
            self._writer.start()

    def _migrate_now(self) -> tuple[int, int]:
        with self._translated():
            return self._prepare(forward=True), len(self._migrations)

    def _prepare(self, *, forward: bool) -> int:
        """Makes the file, or brings it to the newest version; gives the version found."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):  # for its owner alone, whoever may look into the folder
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL, 0o600))
        with closing(self._connect()) as connection:
            _use_wal(connection)
            return self._migrate(connection, forward=forward)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA synchronous={self._synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.create_function("folded", 1, folded, deterministic=True)
        return connection

    def _own_connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            with self._lock:
                self._connections.append(connection)
        return connection

    def _migrate(self, connection: sqlite3.Connection, *, forward: bool) -> int:
        connection.execute("BEGIN IMMEDIATE")  # of two processes, one migrates
        try:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            known = len(self._migrations)
            if version > known or (0 < version < known and not forward):
                raise SchemaMismatch(self._what, version, known)
            for script in self._migrations[version:]:
                for statement in _statements(script):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version={known}")
            connection.execute("COMMIT")
            return version
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def _write_all(self) -> None:
        """The writer thread."""
        connection: sqlite3.Connection | None = None
        while (first := self._writes.get()) is not None:
            batch = [first]
            while len(batch) < _AT_ONCE and not self._writes.empty():
                more = self._writes.get()
                if more is None:
                    self._writes.put(None)
                    break
                batch.append(more)
            try:
                connection = connection or self._connect()
                _commit(connection, batch)
            except sqlite3.Error as error:
                for write in batch:
                    write.error = self._unavailable(error)
                if connection is not None:
                    connection.close()
                    connection = None
            for write in batch:
                if isinstance(write.error, sqlite3.OperationalError):
                    write.error = self._unavailable(write.error)
                _tell(write)
        if connection is not None:
            connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise self._unavailable(error) from error
        except sqlite3.DatabaseError as error:
            if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
                raise
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        """The error for callers; a full disk goes by no trying again, so it is named."""
        full = "disk is full" in str(error)
        with suppress(OSError):
            full = full or shutil.disk_usage(self._path.parent).free < _FULL
        return StoreUnavailable(self._what, _NO_ROOM if full else "")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switches the file to WAL, for good.

    Of processes that make the file at once, all but one are told "locked" without the wait that
    other statements get, so the wait is here.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if time.monotonic() > deadline or "locked" not in str(error):
                raise
            time.sleep(0.01)


def _commit(connection: sqlite3.Connection, batch: Sequence[_Write[Any]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for write in batch:
            connection.execute("SAVEPOINT one")
            try:
                result = write.act(connection)
                # A cursor resets its statement when it is freed. That must not happen on the
                # caller's thread, where it broke the next use of the statement here (a 500 in
                # a thousand pushes).
                write.result = None if isinstance(result, sqlite3.Cursor) else result
                del result
            except Exception as error:
                if isinstance(error, sqlite3.Error) and not connection.in_transaction:
                    raise  # of a full disk: SQLite has taken back all, the savepoint too
                write.error = error
                connection.execute("ROLLBACK TO one")
            connection.execute("RELEASE one")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _tell(write: _Write[Any]) -> None:
    if write.error is not None:
        write.done.set_exception(write.error)
    else:
        write.done.set_result(write.result)


def _statements(script: str) -> Iterator[str]:
    """The statements of a script; `executescript` would commit the transaction around it."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
