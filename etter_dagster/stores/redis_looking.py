"""Lists and counts of pushes that are in the Redis queue and not yet in the history.

A filter is applied where the pushes are, some hundreds at a time, so that no list holds up the
server: while one looks through 100,000 pushes, others are served in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.stores.protocols import (
    PushCounts,
    PushFilter,
    PushPage,
    push_cursor,
    read_push_cursor,
)
from etter_dagster.stores.redis_connection import RedisServer
from etter_dagster.stores.redis_pushes import push_of_pairs
from etter_dagster.stores.redis_scripts import AT_ONCE
from etter_dagster.stores.times import micros

_ACTIVE = tuple(state for state in WorkflowState if not state.terminal)


async def list_pushes(
    server: RedisServer, where: PushFilter, cursor: str | None, limit: int
) -> PushPage:
    """A page, newest first."""
    newest = "+"
    if cursor:
        queued_at, workflow_id = read_push_cursor(cursor)
        newest = f"({_digits(queued_at)}{workflow_id}"
    found: list[Any] = []
    async for part in _scan(server, where, newest, limit + 1, "list"):
        found += part
        if len(found) > limit:
            break
    items = tuple(push_of_pairs(flat) for flat in found[:limit])
    more = len(found) > limit and items
    return PushPage(items=items, next_cursor=push_cursor(items[-1]) if more else None)


async def count_pushes(server: RedisServer, where: PushFilter) -> PushCounts:
    """Counts over what `list_pushes` lists."""
    parts = _totals(server) if where == PushFilter() else _scan(server, where, "+", 0, "count")
    by_state: Counter[str] = Counter()
    by_code: Counter[str] = Counter()
    async for part in parts:
        for group, number in part:
            state, code = group.split(":", 1)
            by_state[state] += number
            if code:
                by_code[code] += number
    return PushCounts(total=by_state.total(), by_state=dict(by_state), by_error_code=dict(by_code))


async def active_of(server: RedisServer, company_id: str) -> dict[str, WorkflowState]:
    """The active push's state of each role of a company that has one."""
    where = PushFilter(companies=(company_id,), states=_ACTIVE)
    found: dict[str, WorkflowState] = {}
    async for part in _scan(server, where, "+", 0, "roles"):
        for group, _ in part:
            state, _, role = group.partition(":")
            found[role] = WorkflowState(state)
    return found


async def _totals(server: RedisServer) -> AsyncIterator[list[Any]]:
    """Counts of everything; metrics ask often, so nothing that waits is looked at."""
    start = 0
    while True:
        more, groups = await server.run("totals", "", start)
        yield groups
        if not more:
            return
        start += AT_ONCE


async def _scan(
    server: RedisServer, where: PushFilter, newest: str, wanted: int, mode: str
) -> AsyncIterator[list[Any]]:
    company = where.companies[0] if where.companies and len(where.companies) == 1 else ""
    oldest = f"[{_digits(where.since)}" if where.since else "-"
    if where.until and (newest == "+" or f"({_digits(where.until)}" < newest):
        newest = f"({_digits(where.until)}"
    condition = where.model_dump_json(exclude_none=True, exclude={"since", "until"})
    while newest:
        last, found = await server.run(
            "scan", "", company, newest, oldest, AT_ONCE, wanted, condition, mode
        )
        yield found
        newest = f"({last}" if last else ""


def _digits(moment: datetime) -> str:
    return f"{micros(moment):016d}"
