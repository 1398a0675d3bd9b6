"""The embedded `Ledger`: one SQLite file, safe with many processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import timedelta

from etter_dagster.model.breaker import Signal
from etter_dagster.model.ledger import (
    Attempt,
    CallId,
    NewAttempt,
    Outcome,
    Past,
    RawAnswer,
    Spending,
)
from etter_dagster.model.spending import Refusal, Situation, SpendLimits
from etter_dagster.stores import sqlite_ledger_rows as rows
from etter_dagster.stores.sqlite_ledger_schema import MIGRATIONS
from etter_dagster.stores.sqlite_store import SqliteStore
from etter_dagster.stores.times import micros


class SqliteLedger(SqliteStore):
    """`Ledger` in a SQLite file."""

    WHAT = "ledger"
    MIGRATIONS = MIGRATIONS

    async def ping(self) -> None:
        await self._database.write(lambda c: c.execute("DELETE FROM holders WHERE until < 0"))

    async def beat(self, holder: str, *, ttl_seconds: float) -> None:
        until = micros(self._clock() + timedelta(seconds=ttl_seconds))
        await self._database.write(
            lambda c: c.execute("INSERT OR REPLACE INTO holders VALUES (?, ?)", (holder, until))
        )

    async def leave(self, holder: str) -> None:
        now = self._clock()
        await self._database.write(lambda c: rows.leave(c, holder, now))

    async def take(self, subject: str, holder: str) -> bool:
        now = self._clock()
        return await self._database.write(lambda c: rows.take(c, subject, holder, now))

    async def free(self, subject: str, holder: str) -> None:
        now = self._clock()
        await self._database.write(lambda c: rows.free(c, subject, holder, now))

    async def past(self, call: CallId) -> Past:
        return await self._database.look(lambda c: rows.past(c, call))

    async def begin(self, new: NewAttempt, limits: SpendLimits) -> Attempt | Refusal:
        now = self._clock()
        return await self._database.write(lambda c: rows.begin(c, new, limits, now))

    async def answered(self, attempt_id: int, answer: RawAnswer) -> None:
        now = self._clock()
        await self._database.write(lambda c: rows.answered(c, attempt_id, answer, now))

    async def ended(
        self,
        attempt_id: int,
        outcome: Outcome,
        signal: Signal,
        *,
        reference: str | None = None,
        error: str | None = None,
    ) -> Attempt:
        now = self._clock()
        return await self._database.write(
            lambda c: rows.ended(c, attempt_id, outcome, signal, reference, error, now)
        )

    async def note(self, assessor: str, signal: Signal) -> None:
        now = self._clock()
        await self._database.write(lambda c: rows.note(c, assessor, signal, now))

    async def situation(self, assessor: str, limits: SpendLimits) -> Situation:
        now = self._clock()
        return await self._database.look(lambda c: rows.situation(c, assessor, limits, now))

    async def spending(self) -> Spending:
        now = self._clock()
        return await self._database.read(lambda c: rows.spending(c, now))

    async def attempts(self, *, role_id: str | None = None, limit: int = 200) -> Sequence[Attempt]:
        def act(connection: sqlite3.Connection) -> list[sqlite3.Row]:
            return connection.execute(
                "SELECT * FROM attempts WHERE ?1 IS NULL OR role_id = ?1 "
                "ORDER BY attempt_id DESC LIMIT ?2",
                (role_id, limit),
            ).fetchall()

        return [rows.attempt_of(row) for row in await self._database.read(act)]

    async def forget_answers(self, company_id: str) -> int:
        return await self._database.write(lambda c: rows.forget_answers(c, company_id))
