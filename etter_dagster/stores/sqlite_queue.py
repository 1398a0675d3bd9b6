"""The embedded `PushQueue`: one SQLite file, safe with many processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from etter_dagster.model.errors import AlreadyProcessing, NotFound
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push, PushRequest, StepRecord
from etter_dagster.stores import sqlite_claims as claims
from etter_dagster.stores import sqlite_records as records
from etter_dagster.stores.protocols import (
    Batch,
    Claim,
    ClaimLimits,
    Durations,
    Enqueued,
    Finish,
    NewPush,
    Operation,
    PushCounts,
    PushFilter,
    PushPage,
    QueueCounts,
    Reservation,
    StoredAnswer,
    WorkerInfo,
)
from etter_dagster.stores.sqlite_claims import Lease
from etter_dagster.stores.sqlite_company import delete_from_queue
from etter_dagster.stores.sqlite_push_rows import (
    IN_CHUNK,
    counts_of,
    page_of,
    push_of,
    rows_in,
)
from etter_dagster.stores.sqlite_queue_schema import MIGRATIONS
from etter_dagster.stores.sqlite_store import SqliteStore
from etter_dagster.stores.times import micros, moment

WORKER_SEEN_SECONDS = 120.0
_HERE = "pushes WHERE archived = 0"
_MEASURED = 200  # newest pushes that a duration is the mean of


class SqlitePushQueue(SqliteStore):
    """`PushQueue` in a SQLite file."""

    WHAT = "queue"
    MIGRATIONS = MIGRATIONS

    async def ping(self) -> None:
        await self._database.write(
            lambda c: c.execute("UPDATE counters SET value = value WHERE name = 'token'")
        )

    # -- producers ---------------------------------------------------------------------------
    async def enqueue(self, pushes: Sequence[NewPush], *, capacity: int) -> list[Enqueued]:
        return await self._database.write(lambda c: claims.enqueue(c, pushes, capacity))

    async def enqueue_claimed(self, push: NewPush, *, worker: str, lease_seconds: float) -> Claim:
        lease = Lease(worker, self._clock(), lease_seconds)
        taken = await self._database.write(lambda c: claims.enqueue_claimed(c, push, lease))
        if isinstance(taken, str):
            raise AlreadyProcessing(push.push.role_name, taken)
        return taken

    async def cancel(self, workflow_id: str, *, now: datetime) -> Push:
        def act(connection: sqlite3.Connection) -> Push:
            push = _get(connection, workflow_id)
            if push is None:
                raise NotFound(workflow_id)
            changes = {"status": WorkflowState.CANCELLED, "completed_at": now}
            cancelled = claims.save(connection, push, changes)
            claims.lower_company_tag(connection, push)
            return cancelled

        return await self._database.write(act)

    # -- workers -----------------------------------------------------------------------------
    async def claim(
        self,
        worker: str,
        n: int,
        *,
        limits: ClaimLimits,
        lease_seconds: float,
        run_id: str | None = None,
    ) -> list[Claim]:
        now = self._clock()
        lease = Lease(worker, now, lease_seconds, run_id)

        def act(connection: sqlite3.Connection) -> list[Claim]:
            taken = claims.claim(connection, n, limits, lease)
            _see(connection, worker, max(0, n - len(taken)), True, now)
            return taken

        # Idle workers ask often; they must not write (and so wake each other) each time.
        if not await self._database.look(lambda c: claims.has_work(c, limits, now)):
            return []
        return await self._database.write(act)

    async def heartbeat(
        self,
        worker: str,
        tokens: Mapping[str, int],
        *,
        lease_seconds: float,
        free_places: int,
        claiming: bool,
    ) -> set[str]:
        now = self._clock()
        until = Lease(worker, now, lease_seconds).until

        def act(connection: sqlite3.Connection) -> set[str]:
            lost = set()
            for workflow_id, token in tokens.items():
                renewed = connection.execute(
                    "UPDATE pushes SET lease_until = ? "
                    "WHERE workflow_id = ? AND token = ? AND status = 'processing'",
                    (until, workflow_id, token),
                )
                if not renewed.rowcount:
                    lost.add(workflow_id)
            _see(connection, worker, free_places, claiming, now)
            return lost

        return await self._database.write(act)

    async def progress(
        self,
        workflow_id: str,
        token: int,
        *,
        steps: Sequence[StepRecord],
        current_step: str | None,
    ) -> None:
        changes = {"steps": tuple(steps), "current_step": current_step}
        await self._change_held(workflow_id, token, changes)

    async def finish(self, workflow_id: str, token: int, finish: Finish) -> Push:
        def act(connection: sqlite3.Connection) -> Push:
            push, _ = claims.held(connection, workflow_id, token)
            measured = finish.status in (WorkflowState.READY, WorkflowState.DEGRADED)
            started = push.started_at or finish.completed_at
            return claims.save(
                connection,
                push,
                {
                    **{name: getattr(finish, name) for name in Finish.model_fields},
                    "current_step": None,
                    "worker": None,
                    "lease_until": None,
                    "seconds": (finish.completed_at - started).total_seconds()
                    if measured
                    else None,
                },
            )

        return await self._database.write(act)

    async def give_back(self, workflow_id: str, token: int, *, assessor: str | None = None) -> None:
        await self._database.write(
            lambda c: claims.give_back(c, claims.held(c, workflow_id, token)[0], assessor)
        )

    async def give_back_unheard(self, worker: str, known: Sequence[str]) -> None:
        await self._database.write(lambda c: claims.give_back_all(c, worker, but=known))

    async def leave(self, worker: str) -> None:
        def act(connection: sqlite3.Connection) -> None:
            claims.give_back_all(connection, worker)
            connection.execute("DELETE FROM workers WHERE worker = ?", (worker,))

        await self._database.write(act)

    async def workers(self) -> list[WorkerInfo]:
        since = self._clock().timestamp() - WORKER_SEEN_SECONDS
        rows = await self._database.read(
            lambda c: c.execute(
                "SELECT * FROM workers WHERE seen_at >= ? ORDER BY worker", (since,)
            ).fetchall()
        )
        return [
            WorkerInfo(
                worker=row["worker"],
                free_places=row["free_places"],
                claiming=bool(row["claiming"]),
                seen_at=moment(round(row["seen_at"] * 1e6)),
            )
            for row in rows
        ]

    async def counts(self, limits: ClaimLimits) -> QueueCounts:
        now = self._clock()
        return await self._database.read(lambda c: claims.counts(c, limits, now))

    async def waiting_for(self, assessor: str) -> dict[str, int]:
        query = (
            "SELECT company_id, count(*) AS n FROM pushes "
            "WHERE status = 'queued' AND assessor = ? GROUP BY 1"
        )
        return await self._database.read(
            lambda c: {row["company_id"]: row["n"] for row in c.execute(query, (assessor,))}
        )

    async def hold_claims(self, seconds: float) -> None:
        until = self._clock().timestamp() + seconds
        await self._database.write(lambda c: claims.hold(c, until))

    async def claims_held(self) -> float:
        now = self._clock()
        return await self._database.read(lambda c: claims.held_seconds(c, now))

    async def wait_changed(self, since: int, timeout: float) -> int:
        return await self._database.wait_changed(since, timeout)

    # -- looking -----------------------------------------------------------------------------
    async def get(self, workflow_id: str) -> Push | None:
        return await self._database.look(lambda c: _get(c, workflow_id))

    async def get_many(self, workflow_ids: Sequence[str]) -> dict[str, Push]:
        query = "SELECT workflow_id, body FROM pushes WHERE workflow_id IN"
        return await self._database.read(
            lambda c: {r["workflow_id"]: push_of(r) for r in rows_in(c, query, workflow_ids)}
        )

    async def request(self, workflow_id: str) -> PushRequest | None:
        row = await self._database.look(
            lambda c: c.execute(
                "SELECT body FROM requests WHERE workflow_id = ?", (workflow_id,)
            ).fetchone()
        )
        return PushRequest.model_validate_json(row["body"]) if row else None

    async def active(self, role_ids: Sequence[str]) -> dict[str, Push]:
        query = (
            "SELECT role_id, body FROM pushes "
            "WHERE status IN ('queued', 'processing') AND role_id IN"
        )
        return await self._database.read(
            lambda c: {r["role_id"]: push_of(r) for r in rows_in(c, query, role_ids)}
        )

    async def active_of(self, company_id: str) -> dict[str, WorkflowState]:
        query = (
            "SELECT role_id, status FROM pushes INDEXED BY one_active_push_a_role "
            "WHERE status IN ('queued', 'processing') AND company_id = ?"
        )
        return await self._database.read(
            lambda c: {
                row["role_id"]: WorkflowState(row["status"])
                for row in c.execute(query, (company_id,))
            }
        )

    async def positions(self, workflow_ids: Sequence[str]) -> dict[str, int]:
        return await self._database.read(lambda c: claims.positions(c, workflow_ids))

    async def list_pushes(self, where: PushFilter, *, cursor: str | None, limit: int) -> PushPage:
        return await self._database.read(lambda c: page_of(c, _HERE, where, cursor, limit))

    async def count_pushes(self, where: PushFilter) -> PushCounts:
        return await self._database.read(lambda c: counts_of(c, _HERE, where))

    async def durations(self, assessor: str) -> Durations:
        row = await self._database.read(
            lambda c: c.execute(
                "SELECT count(*) AS n, avg(seconds) AS mean FROM (SELECT seconds FROM pushes "
                "WHERE assessor = ? AND seconds IS NOT NULL ORDER BY completed_at DESC LIMIT ?)",
                (assessor, _MEASURED),
            ).fetchone()
        )
        return Durations(count=row["n"], mean_seconds=row["mean"] or 0.0)

    # -- outbox ------------------------------------------------------------------------------
    async def outbox(self, limit: int) -> list[Push]:
        return await self._database.read(
            lambda c: [
                push_of(row)
                for row in c.execute(
                    "SELECT body FROM pushes WHERE archived = 0 AND completed_at IS NOT NULL "
                    "ORDER BY completed_at LIMIT ?",
                    (limit,),
                )
            ]
        )

    async def archived(self, workflow_ids: Iterable[str]) -> None:
        ids = list(workflow_ids)
        await self._database.write(
            lambda c: c.executemany(
                "UPDATE pushes SET archived = 1 WHERE workflow_id = ? AND completed_at IS NOT NULL",
                [(workflow_id,) for workflow_id in ids],
            )
        )

    async def prune(self, *, before: datetime) -> int:
        old = "archived = 1 AND completed_at < ?"
        limit = micros(before)
        if not await self._database.read(
            lambda c: c.execute(f"SELECT 1 FROM pushes WHERE {old} LIMIT 1", (limit,)).fetchone()
        ):
            return 0
        gone = 0
        while True:  # in parts, so that no writer waits long
            part = await self._database.write(
                lambda c: (
                    c.execute(
                        f"DELETE FROM pushes WHERE seq IN "
                        f"(SELECT seq FROM pushes WHERE {old} LIMIT ?)",
                        (limit, IN_CHUNK),
                    ).rowcount
                )
            )
            gone += part
            if part < IN_CHUNK:
                return gone

    async def delete_company(self, company_id: str) -> int:
        return await self._database.write(lambda c: delete_from_queue(c, company_id))

    # -- batches, idempotency, operations -----------------------------------------------------
    async def put_batch(self, batch: Batch) -> None:
        await self._database.write(lambda c: records.put(c, "batch", batch.batch_id, batch))

    async def batch(self, batch_id: str) -> Batch | None:
        return await self._database.read(lambda c: records.get(c, "batch", batch_id, Batch))

    async def put_operation(self, operation: Operation) -> None:
        await self._database.write(
            lambda c: records.put(c, "operation", operation.operation_id, operation)
        )

    async def operation(self, operation_id: str) -> Operation | None:
        return await self._database.read(
            lambda c: records.get(c, "operation", operation_id, Operation)
        )

    async def reserve_key(
        self, scope: str, key: str, body_hash: str, *, ttl_seconds: float
    ) -> Reservation:
        now = self._clock().timestamp()
        return await self._database.write(
            lambda c: records.reserve_key(c, scope, key, body_hash, now=now, ttl=ttl_seconds)
        )

    async def store_answer(self, scope: str, key: str, answer: StoredAnswer) -> None:
        now = self._clock().timestamp()
        await self._database.write(lambda c: records.store_answer(c, scope, key, answer, now=now))

    async def release_key(self, scope: str, key: str) -> None:
        await self._database.write(lambda c: records.release_key(c, scope, key))

    async def _change_held(
        self, workflow_id: str, token: int, changes: Mapping[str, object]
    ) -> None:
        await self._database.write(
            lambda c: claims.save(c, claims.held(c, workflow_id, token)[0], changes)
        )


def _get(connection: sqlite3.Connection, workflow_id: str) -> Push | None:
    row = connection.execute(
        "SELECT body FROM pushes WHERE workflow_id = ?", (workflow_id,)
    ).fetchone()
    return push_of(row) if row else None


def _see(
    connection: sqlite3.Connection, worker: str, free_places: int, claiming: bool, now: datetime
) -> None:
    connection.execute(
        "INSERT INTO workers VALUES (?, ?, ?, ?) ON CONFLICT (worker) DO UPDATE SET "
        "free_places = excluded.free_places, claiming = excluded.claiming, "
        "seen_at = excluded.seen_at",
        (worker, free_places, int(claiming), now.timestamp()),
    )
    connection.execute(
        "DELETE FROM workers WHERE seen_at < ?", (now.timestamp() - WORKER_SEEN_SECONDS,)
    )
