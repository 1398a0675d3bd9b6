"""Small records of the embedded queue: batches, operations, idempotency keys."""

from __future__ import annotations

import sqlite3
from typing import TypeVar

from pydantic import BaseModel

from etter_dagster.stores.protocols import Reservation, StoredAnswer

R = TypeVar("R", bound=BaseModel)
RESERVED_SECONDS = 60.0  # a request that died with its process blocks its key no longer than this


def put(connection: sqlite3.Connection, kind: str, record_id: str, record: BaseModel) -> None:
    """Records or replaces."""
    connection.execute(
        "INSERT OR REPLACE INTO records VALUES (?, ?, ?)",
        (kind, record_id, record.model_dump_json()),
    )


def get(connection: sqlite3.Connection, kind: str, record_id: str, model: type[R]) -> R | None:
    """A record, or None."""
    row = connection.execute(
        "SELECT body FROM records WHERE kind = ? AND id = ?", (kind, record_id)
    ).fetchone()
    return model.model_validate_json(row["body"]) if row else None


def reserve_key(
    connection: sqlite3.Connection, scope: str, key: str, body_hash: str, *, now: float, ttl: float
) -> Reservation:
    """Looks a key up; a fresh one is reserved."""
    connection.execute("DELETE FROM idempotency_keys WHERE expires_at <= ?", (now,))
    row = connection.execute(
        "SELECT body_hash, answer FROM idempotency_keys WHERE scope = ? AND key = ?", (scope, key)
    ).fetchone()
    if row is None:
        connection.execute(
            "INSERT INTO idempotency_keys VALUES (?, ?, ?, NULL, ?, ?)",
            (scope, key, body_hash, ttl, now + min(ttl, RESERVED_SECONDS)),
        )
        return Reservation(fresh=True)
    if row["body_hash"] != body_hash:
        return Reservation(conflict=True)
    if row["answer"] is None:
        return Reservation()
    return Reservation(answer=StoredAnswer.model_validate_json(row["answer"]))


def store_answer(
    connection: sqlite3.Connection, scope: str, key: str, answer: StoredAnswer, *, now: float
) -> None:
    """Keeps the answer for the key's whole lifetime."""
    connection.execute(
        "UPDATE idempotency_keys SET answer = ?, expires_at = ? + lifetime "
        "WHERE scope = ? AND key = ? AND answer IS NULL",
        (answer.model_dump_json(), now, scope, key),
    )


def release_key(connection: sqlite3.Connection, scope: str, key: str) -> None:
    """Forgets a reservation."""
    connection.execute(
        "DELETE FROM idempotency_keys WHERE scope = ? AND key = ? AND answer IS NULL", (scope, key)
    )
