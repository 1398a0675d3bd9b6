"""The file under the embedded stores: versions, unusable files, atomic writes, append-only."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from etter_dagster.model.errors import EtterError, StoreUnavailable
from etter_dagster.settings import Settings
from etter_dagster.stores import open_graph, open_queue
from etter_dagster.stores.sqlite_database import SqliteDatabase
from etter_dagster_tests.contract.records import assessment

TABLE = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(tmp_path / "x.db", "queue", [TABLE])
    yield opened
    await opened.close()


async def texts(database: SqliteDatabase) -> list[str]:
    return await database.read(
        lambda c: [row["text"] for row in c.execute("SELECT text FROM notes ORDER BY id")]
    )


def note(connection: sqlite3.Connection, text: str) -> None:
    connection.execute("INSERT INTO notes (text) VALUES (?)", (text,))


def modes_in(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def test_nothing_is_opened_before_the_first_use(tmp_path: Path) -> None:
    """Loading definitions must not make files."""
    folder = tmp_path / "later"
    database = SqliteDatabase(folder / "x.db", "queue", [TABLE])
    assert not folder.exists()
    await database.write(lambda c: note(c, "now"))
    assert folder.stat().st_mode & 0o077 == 0, "only its owner may look in"
    await database.close()


async def test_the_files_are_for_their_owner_also_in_a_folder_for_all(tmp_path: Path) -> None:
    """A folder that was there before may be open to every user of the machine."""
    database = SqliteDatabase(tmp_path / "x.db", "queue", [TABLE])
    await database.write(lambda c: note(c, "now"))
    assert modes_in(tmp_path) == dict.fromkeys(("x.db", "x.db-wal", "x.db-shm"), 0o600)
    await database.close()


async def test_a_cursor_never_reaches_the_callers_thread(database: SqliteDatabase) -> None:
    """Freed there, it reset the statement that the writer was in the middle of: one write in a
    thousand failed with "API misuse".
    """
    insert = "INSERT INTO notes (text) VALUES (?)"
    assert await database.write(lambda c: c.execute(insert, ("x",))) is None
    assert await database.write(lambda c: c.execute(insert, ("y",)).rowcount) == 1
    assert await texts(database) == ["x", "y"]


async def test_a_write_that_fails_takes_no_other_with_it(database: SqliteDatabase) -> None:
    """Writes are committed together, yet each is its own."""

    def half(connection: sqlite3.Connection) -> None:
        note(connection, "half")
        raise ValueError("no")

    results = await asyncio.gather(
        *(database.write(lambda c, i=i: note(c, str(i))) for i in range(5)),  # type: ignore[misc]
        database.write(half),
        *(database.write(lambda c, i=i: note(c, str(i))) for i in range(5, 9)),  # type: ignore[misc]
        return_exceptions=True,
    )
    assert [type(r) for r in results].count(ValueError) == 1
    assert sorted(await texts(database)) == [str(i) for i in range(9)]


async def test_a_cancelled_writer_does_not_take_its_write_back(database: SqliteDatabase) -> None:
    await texts(database)
    task = asyncio.create_task(database.write(lambda c: note(c, "kept")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await database.write(lambda c: note(c, "next"))
    assert await texts(database) == ["kept", "next"]


async def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """A rolled-back deploy must not write into what it does not understand."""
    newer = SqliteDatabase(tmp_path / "x.db", "queue", [TABLE, "CREATE TABLE more (id INTEGER);"])
    await newer.read(lambda c: None)
    await newer.close()
    older = SqliteDatabase(tmp_path / "x.db", "queue", [TABLE])
    with pytest.raises(EtterError, match="newer Etter"):
        await older.read(lambda c: None)
    await older.close()


async def test_an_older_file_is_brought_further_and_keeps_its_rows(tmp_path: Path) -> None:
    older = SqliteDatabase(tmp_path / "x.db", "queue", [TABLE])
    await older.write(lambda c: note(c, "old"))
    await older.close()
    newer = SqliteDatabase(tmp_path / "x.db", "queue", [TABLE, "CREATE TABLE more (id INTEGER);"])
    assert await texts(newer) == ["old"]
    assert await newer.read(lambda c: c.execute("SELECT count(*) FROM more").fetchone()[0]) == 0
    await newer.close()


async def test_a_migration_that_breaks_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    broken = SqliteDatabase(tmp_path / "x.db", "queue", [TABLE, "CREATE TABLE notes (id);"])
    with pytest.raises(StoreUnavailable):
        await broken.read(lambda c: None)
    await broken.close()
    database = SqliteDatabase(tmp_path / "x.db", "queue", [TABLE])
    assert await texts(database) == []
    await database.close()


@pytest.mark.parametrize("store", ["graph", "queue"])
@pytest.mark.parametrize("problem", ["garbage", "folder in its place", "no folder possible"])
async def test_an_unusable_file_is_an_error_without_its_path(
    tmp_path: Path, store: str, problem: str
) -> None:
    """503 STORE_UNAVAILABLE; an address or path never stands in an error."""
    folder = tmp_path / "secret-place"
    if problem == "no folder possible":
        folder.write_text("a file")
    else:
        folder.mkdir()
    if problem == "garbage":
        (folder / f"{store}.db").write_bytes(b"no database at all" * 100)
    elif problem == "folder in its place":
        (folder / f"{store}.db").mkdir()
    settings = Settings(data_dir=folder)
    opened = open_graph(settings) if store == "graph" else open_queue(settings)
    with pytest.raises(StoreUnavailable) as caught:
        await opened.ping()
    assert store in caught.value.message
    assert "secret" not in str(caught.value)
    await opened.close()


async def test_a_full_disk_is_named_and_work_goes_on_when_there_is_room(
    database: SqliteDatabase,
) -> None:
    """Told only to try again, somebody would try all day. A new connection has no limit."""
    await database.write(lambda c: note(c, "before"))
    await database.write(lambda c: c.execute("PRAGMA max_page_count=2") and None)
    with pytest.raises(StoreUnavailable, match="disk of ETTER_DATA_DIR is full; make room"):
        await database.write(lambda c: note(c, "x" * 100_000))
    await database.write(lambda c: note(c, "after"))
    assert await texts(database) == ["before", "after"]


async def test_a_closed_store_says_so(database: SqliteDatabase) -> None:
    await texts(database)
    await database.close()
    with pytest.raises(StoreUnavailable):
        await texts(database)


@pytest.mark.parametrize("statement", ["DELETE FROM assessments", "UPDATE assessments SET body=''"])
async def test_assessments_cannot_be_changed_even_by_hand(tmp_path: Path, statement: str) -> None:
    """What a customer was shown stays provable."""
    graph = open_graph(Settings(data_dir=tmp_path))
    role = await graph.put_role("Acme", "Analyst")
    await graph.add_assessment(made := assessment(role.role_id), current=True)
    with (
        sqlite3.connect(tmp_path / "graph.db") as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute(statement)
    assert await graph.assessments(role.role_id) == [made]
    await graph.close()
