"""Pushes as rows: columns that lists filter on, pages and counts; shared by queue and history."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from etter_dagster.model.push import Push
from etter_dagster.stores.protocols import (
    PushCounts,
    PushFilter,
    PushPage,
    push_cursor,
    read_push_cursor,
)
from etter_dagster.stores.times import micros

IN_CHUNK = 500  # SQLite allows 32,766 parameters; plans stay good below

# Of both tables that hold pushes; times are microseconds since 1970.
COLUMNS = """
  workflow_id TEXT NOT NULL UNIQUE,
  role_id TEXT NOT NULL,
  company_id TEXT NOT NULL,
  role_name TEXT NOT NULL,
  source TEXT NOT NULL,
  status TEXT NOT NULL,
  batch_id TEXT,
  error_code TEXT,
  queued_at INTEGER NOT NULL,
  body TEXT NOT NULL
"""


def push_columns(push: Push) -> dict[str, Any]:
    """The values of `COLUMNS`."""
    return {
        "workflow_id": push.workflow_id,
        "role_id": push.role_id,
        "company_id": push.company_id,
        "role_name": push.role_name,
        "source": push.source.value,
        "status": push.status.value,
        "batch_id": push.batch_id,
        "error_code": push.error.code if push.error else None,
        "queued_at": micros(push.queued_at),
        "body": push.model_dump_json(),
    }


def push_of(row: sqlite3.Row) -> Push:
    """The push of a row that has `body`."""
    return Push.model_validate_json(row["body"])


def insert(connection: sqlite3.Connection, table: str, values: dict[str, Any], how: str) -> None:
    """Inserts one row; `how` is `INSERT` or `INSERT OR IGNORE`."""
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(f"{how} INTO {table} ({names}) VALUES ({marks})", values)


def rows_in(
    connection: sqlite3.Connection, query: str, keys: Iterable[str], *, given: Sequence[str] = ()
) -> Iterable[sqlite3.Row]:
    """Rows of a query that ends in `IN`, for any number of keys, behind what else it is given."""
    wanted = list(dict.fromkeys(keys))
    for start in range(0, len(wanted), IN_CHUNK):
        part = wanted[start : start + IN_CHUNK]
        yield from connection.execute(f"{query} ({', '.join('?' * len(part))})", (*given, *part))


def page_of(
    connection: sqlite3.Connection, table: str, where: PushFilter, cursor: str | None, limit: int
) -> PushPage:
    """A page, newest first; `table` may hold a condition of its own after `WHERE`."""
    clause, values = _clause(where)
    if cursor:
        queued_at, workflow_id = read_push_cursor(cursor)
        clause += " AND (queued_at, workflow_id) < (?, ?)"
        values += [micros(queued_at), workflow_id]
    rows = connection.execute(
        f"SELECT body FROM {table} AND {clause} ORDER BY queued_at DESC, workflow_id DESC LIMIT ?",
        [*values, limit + 1],
    ).fetchall()
    items = tuple(push_of(row) for row in rows[:limit])
    return PushPage(
        items=items, next_cursor=push_cursor(items[-1]) if len(rows) > limit and items else None
    )


def counts_of(connection: sqlite3.Connection, table: str, where: PushFilter) -> PushCounts:
    """Counts over what `page_of` lists."""
    clause, values = _clause(where)
    by_state: dict[str, int] = {}
    by_code: dict[str, int] = {}
    for row in connection.execute(
        f"SELECT status, error_code, count(*) AS n FROM {table} AND {clause} GROUP BY 1, 2", values
    ):
        by_state[row["status"]] = by_state.get(row["status"], 0) + row["n"]
        if row["error_code"]:
            by_code[row["error_code"]] = by_code.get(row["error_code"], 0) + row["n"]
    return PushCounts(total=sum(by_state.values()), by_state=by_state, by_error_code=by_code)


def _clause(where: PushFilter) -> tuple[str, list[Any]]:
    parts = ["1"]
    values: list[Any] = []
    any_of: list[tuple[str, Sequence[str] | None]] = [
        ("company_id", where.companies),
        ("status", None if where.states is None else [state.value for state in where.states]),
    ]
    for column, wanted in any_of:
        if wanted is not None:
            parts.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += wanted
    equal = {
        "error_code": where.error_code,
        "batch_id": where.batch_id,
        "source": where.source.value if where.source else None,
        "role_id": where.role_id,
    }
    for column, value in equal.items():
        if value is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    if where.since is not None:
        parts.append("queued_at >= ?")
        values.append(micros(where.since))
    if where.until is not None:
        parts.append("queued_at < ?")
        values.append(micros(where.until))
    if where.q:
        parts.append("instr(lower(role_name || ' ' || company_id || ' ' || workflow_id), lower(?))")
        values.append(where.q)
    return " AND ".join(parts), values
