"""The embedded `NoticeStore`: a SQLite file of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from etter_dagster.model.notification import Notice, NoticeKind
from etter_dagster.stores.notices import KEEP_SECONDS
from etter_dagster.stores.sqlite_store import SqliteStore

_MIGRATIONS = (
    """
CREATE TABLE notices (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  sent TEXT NOT NULL DEFAULT '',
  attempts INTEGER NOT NULL DEFAULT 0,
  due REAL,
  touched REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX due_notices ON notices (due) WHERE due IS NOT NULL;
CREATE INDEX told_notices ON notices (touched) WHERE due IS NULL;
""",
)
_PUT = """
INSERT INTO notices (id, kind, due, touched) VALUES (:id, :kind, :now, :now)
ON CONFLICT (id) DO UPDATE SET version = version + 1, attempts = 0, due = :now, touched = :now
WHERE kind = 'batch'
"""


class SqliteNotices(SqliteStore):
    """`NoticeStore` in a SQLite file."""

    WHAT = "queue"
    MIGRATIONS = _MIGRATIONS

    async def put(self, ended: Mapping[str, NoticeKind]) -> None:
        now = self._now()
        rows = [{"id": id_, "kind": kind.value, "now": now} for id_, kind in ended.items()]

        def act(connection: sqlite3.Connection) -> None:
            connection.execute(
                "DELETE FROM notices WHERE due IS NULL AND touched < ?", (now - KEEP_SECONDS,)
            )
            connection.executemany(_PUT, rows)

        if rows:
            await self._database.write(act)

    async def take(self, n: int, *, lease_seconds: float) -> list[Notice]:
        now = self._now()

        def act(connection: sqlite3.Connection) -> list[Notice]:
            rows = connection.execute(
                "SELECT id, kind, version, sent, attempts FROM notices WHERE due <= ? "
                "ORDER BY due, id LIMIT ?",
                (now, n),
            ).fetchall()
            connection.executemany(
                "UPDATE notices SET due = ? WHERE id = ?",
                [(now + lease_seconds, row["id"]) for row in rows],
            )
            return [Notice(**dict(row)) for row in rows]

        # Asked often, seldom with something to do: a look writes nothing.
        if not await self._database.look(
            lambda c: c.execute("SELECT 1 FROM notices WHERE due <= ? LIMIT 1", (now,)).fetchone()
        ):
            return []
        return await self._database.write(act)

    async def done(self, notice: Notice, *, sent: str) -> None:
        now = self._now()
        await self._database.write(
            lambda c: c.execute(
                "UPDATE notices SET sent = ?, attempts = 0, touched = ?, "
                "due = CASE WHEN version = ? THEN NULL ELSE ? END WHERE id = ?",
                (sent or notice.sent, now, notice.version, now, notice.id),
            )
        )

    async def later(self, notice: Notice, *, seconds: float) -> None:
        due = self._now() + seconds
        await self._database.write(
            lambda c: c.execute(
                "UPDATE notices SET attempts = attempts + 1, due = ? WHERE id = ?", (due, notice.id)
            )
        )

    async def forget(self, ids: Sequence[str]) -> None:
        await self._database.write(
            lambda c: c.executemany("DELETE FROM notices WHERE id = ?", [(id_,) for id_ in ids])
        )

    async def waiting(self) -> int:
        return await self._database.look(
            lambda c: int(
                c.execute("SELECT count(*) FROM notices WHERE due IS NOT NULL").fetchone()[0]
            )
        )

    def _now(self) -> float:
        return self._clock().timestamp()
