"""The embedded `AccessStore`: a SQLite file of its own, as each request may write to it."""

from __future__ import annotations

import sqlite3

from etter_dagster.model.rate import first_counted, pause
from etter_dagster.stores.access import Session
from etter_dagster.stores.sqlite_store import SqliteStore

_MIGRATIONS = (
    """
CREATE TABLE hits (
  who TEXT NOT NULL,
  second INTEGER NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (who, second)
) WITHOUT ROWID;
CREATE INDEX old_hits ON hits (second);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX old_sessions ON sessions (expires_at);
""",
    "CREATE TABLE kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",
)


class SqliteAccess(SqliteStore):
    """`AccessStore` in a SQLite file."""

    WHAT = "queue"
    MIGRATIONS = _MIGRATIONS
    DURABLE = False

    async def hit(self, who: str, *, limit: int) -> float:
        now = self._clock().timestamp()

        def act(connection: sqlite3.Connection) -> float:
            connection.execute("DELETE FROM hits WHERE second < ?", (first_counted(now),))
            rows = connection.execute("SELECT second, number FROM hits WHERE who = ?", (who,))
            wait = pause([(row["second"], row["number"]) for row in rows], limit, now)
            if not wait:
                connection.execute(
                    "INSERT INTO hits VALUES (?, ?, 1) "
                    "ON CONFLICT (who, second) DO UPDATE SET number = number + 1",
                    (who, int(now)),
                )
            return wait

        return await self._database.write(act)

    async def put_session(self, session_id: str, session: Session) -> None:
        now, ends = self._clock().timestamp(), session.expires_at.timestamp()

        def act(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM sessions WHERE expires_at <= ?", (now,))
            connection.execute(
                "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)",
                (session_id, session.model_dump_json(), ends),
            )

        await self._database.write(act)

    async def session(self, session_id: str) -> Session | None:
        now = self._clock().timestamp()
        row = await self._database.look(
            lambda c: c.execute(
                "SELECT body FROM sessions WHERE id = ? AND expires_at > ?", (session_id, now)
            ).fetchone()
        )
        return Session.model_validate_json(row["body"]) if row else None

    async def drop_session(self, session_id: str) -> None:
        await self._database.write(
            lambda c: c.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
        )

    async def swap(self, name: str, value: str) -> str | None:
        def act(connection: sqlite3.Connection) -> str | None:
            row = connection.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
            connection.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))
            return str(row["value"]) if row else None

        return await self._database.write(act)
