"""Who is next: queueing, claiming, leases and places of the embedded queue, inside a transaction.

The order itself is `model/claim_order.py`; here are its counters and rows.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from etter_dagster.model.claim_order import (
    COST,
    LANES,
    Lane,
    LaneState,
    claimable,
    next_lane,
    next_tag,
    position,
    served_on_wake,
)
from etter_dagster.model.errors import LeaseLost
from etter_dagster.model.lifecycle import WorkflowState, check_push_move
from etter_dagster.model.push import MAX_LEASES, Push, PushRequest, given_up
from etter_dagster.stores.protocols import Claim, ClaimLimits, Enqueued, NewPush, QueueCounts
from etter_dagster.stores.sqlite_push_rows import (
    insert,
    push_columns,
    push_of,
    rows_in,
)
from etter_dagster.stores.times import micros, moment

_FEW = 20  # so many places are counted one by one, more in one pass over the queue


@dataclass(frozen=True)
class Lease:
    """Who takes a push, and until when."""

    worker: str
    now: datetime
    seconds: float
    run_id: str | None = None

    @property
    def until(self) -> float:
        """Seconds since 1970."""
        return self.now.timestamp() + self.seconds


def enqueue(
    connection: sqlite3.Connection, pushes: Sequence[NewPush], capacity: int
) -> list[Enqueued]:
    """Queues what may be queued; one answer a push."""
    waiting = _waiting(connection)
    _wake(connection, {new.push.lane for new in pushes if not waiting[new.push.lane]})
    room = capacity - sum(waiting.values())
    answers = []
    for new in pushes:
        push = new.push
        row = connection.execute(
            "SELECT workflow_id FROM pushes WHERE workflow_id = ? OR "
            "(role_id = ? AND status IN ('queued', 'processing')) ORDER BY workflow_id != ?",
            (push.workflow_id, push.role_id, push.workflow_id),
        ).fetchone()
        if row is not None and row["workflow_id"] == push.workflow_id:
            answers.append(Enqueued(accepted=True))
        elif row is not None:
            answers.append(Enqueued(active=row["workflow_id"]))
        elif room <= 0:
            answers.append(Enqueued(full=True))
        else:
            _insert(connection, new, _tag(connection, push))
            answers.append(Enqueued(accepted=True))
            room -= 1
    return answers


def enqueue_claimed(connection: sqlite3.Connection, new: NewPush, lease: Lease) -> Claim | str:
    """Queues and takes at once, past the order; or gives the workflow id of the active push."""
    active = connection.execute(
        "SELECT workflow_id FROM pushes WHERE role_id = ? AND status IN ('queued', 'processing')",
        (new.push.role_id,),
    ).fetchone()
    if active is not None:
        return str(active["workflow_id"])
    _insert(connection, new, 0)
    return Claim(
        push=_take(connection, new.push, 0, lease, token := _new_token(connection, lease.now)),
        request=new.request,
        token=token,
    )


def hold(connection: sqlite3.Connection, until: float) -> None:
    """Nothing is handed out until then (seconds since 1970)."""
    connection.execute(
        "INSERT OR REPLACE INTO counters VALUES ('held_until', ?)", (round(until * 1e6),)
    )


def held_seconds(connection: sqlite3.Connection, now: datetime) -> float:
    """How long nothing is handed out; 0 if claims go on."""
    row = connection.execute("SELECT value FROM counters WHERE name = 'held_until'").fetchone()
    return max(0.0, (row["value"] - micros(now)) / 1e6) if row else 0.0


def has_work(connection: sqlite3.Connection, limits: ClaimLimits, now: datetime) -> bool:
    """Whether a claim could find anything; reads only."""
    expired = connection.execute(
        "SELECT 1 FROM pushes WHERE status = 'processing' AND lease_until < ? LIMIT 1",
        (now.timestamp(),),
    ).fetchone()
    if expired is not None:
        return True
    if sum(_in_flight(connection).values()) >= limits.in_flight or held_seconds(connection, now):
        return False
    closed, given = _closed(limits)
    waiting = connection.execute(
        f"SELECT 1 FROM pushes WHERE status = 'queued' AND NOT ({closed}) LIMIT 1", given
    ).fetchone()
    return waiting is not None


def claim(connection: sqlite3.Connection, n: int, limits: ClaimLimits, lease: Lease) -> list[Claim]:
    """Takes expired leases back, then hands out up to `n` pushes in order, under the limits."""
    _take_back_expired(connection, lease.now)
    in_flight = _in_flight(connection)
    n = min(n, limits.in_flight - sum(in_flight.values()))
    if held_seconds(connection, lease.now):
        n = 0
    chosen = _choose(connection, n, in_flight, limits) if n > 0 else []
    claims = []
    for row in chosen:
        token = _new_token(connection, lease.now)
        push = _take(connection, push_of(row), row["leases_lost"], lease, token)
        request = connection.execute(
            "SELECT body FROM requests WHERE workflow_id = ?", (push.workflow_id,)
        ).fetchone()
        claims.append(
            Claim(push=push, request=PushRequest.model_validate_json(request["body"]), token=token)
        )
    return claims


def held(connection: sqlite3.Connection, workflow_id: str, token: int) -> tuple[Push, int]:
    """The push that is held under this token, and its leases lost.

    Raises:
        LeaseLost: It is not.
    """
    row = connection.execute(
        "SELECT body, leases_lost FROM pushes "
        "WHERE workflow_id = ? AND token = ? AND status = 'processing'",
        (workflow_id, token),
    ).fetchone()
    if row is None:
        raise LeaseLost(workflow_id)
    return push_of(row), row["leases_lost"]


def save(connection: sqlite3.Connection, push: Push, changes: Mapping[str, Any]) -> Push:
    """Writes a changed push with the next version.

    Args:
        connection: In a transaction.
        push: As it is stored.
        changes: Fields of the push, or columns of its row that are no fields (lease, tag ...).
    """
    fields = {name: value for name, value in changes.items() if name in Push.model_fields}
    if "status" in fields:
        check_push_move(push.workflow_id, push.status, fields["status"])
    push = push.model_copy(update={**fields, "version": push.version + 1})
    ended = push.completed_at
    values = {
        "workflow_id": push.workflow_id,
        "status": push.status.value,
        "assessor": push.assessor,
        "error_code": push.error.code if push.error else None,
        "completed_at": micros(ended) if ended else None,
        "body": push.model_dump_json(),
        **{name: value for name, value in changes.items() if name not in Push.model_fields},
    }
    sets = ", ".join(f"{name} = :{name}" for name in values)
    connection.execute(f"UPDATE pushes SET {sets} WHERE workflow_id = :workflow_id", values)
    return push


def give_back(connection: sqlite3.Connection, push: Push, assessor: str | None = None) -> Push:
    """Back to its place; the attempt does not count. It waits for `assessor`, if one is named."""
    attempts = push.attempts - 1
    return save(
        connection,
        push,
        {
            "status": WorkflowState.QUEUED,
            "attempts": attempts,
            "assessor": assessor or push.assessor,
            "started_at": push.started_at if attempts else None,
            "current_step": None,
            "run_id": None,
            "worker": None,
            "lease_until": None,
        },
    )


def give_back_all(
    connection: sqlite3.Connection, worker: str, *, but: Collection[str] = ()
) -> None:
    """Gives back what a worker holds, but for some."""
    rows = connection.execute(
        "SELECT body FROM pushes WHERE worker = ? AND status = 'processing'", (worker,)
    ).fetchall()
    for push in map(push_of, rows):
        if push.workflow_id not in but:
            give_back(connection, push)


def lower_company_tag(connection: sqlite3.Connection, cancelled: Push) -> None:
    """A cancelled push gives its company's turn back: later pushes do not wait behind it."""
    connection.execute(
        "UPDATE company_tags SET tag = max("
        "  coalesce((SELECT max(tag) FROM pushes WHERE status = 'queued' AND lane = :lane"
        "            AND company_id = :company), 0),"
        "  min(tag, (SELECT claimed_tag FROM lanes WHERE lane = :lane))) "
        "WHERE lane = :lane AND company_id = :company",
        {"lane": cancelled.lane.value, "company": cancelled.company_id},
    )


def counts(connection: sqlite3.Connection, limits: ClaimLimits, now: datetime) -> QueueCounts:
    """The queue at a glance."""
    waiting: Counter[Lane] = Counter()
    oldest: dict[Lane, int] = {}
    by_company: Counter[str] = Counter()
    closed, given = _closed(limits)
    for row in connection.execute(
        "SELECT lane, company_id, count(*) AS n, min(queued_at) AS oldest, "
        f"sum(NOT ({closed})) AS may FROM pushes WHERE status = 'queued' GROUP BY 1, 2",
        given,
    ):
        lane = Lane(row["lane"])
        waiting[lane] += row["n"]
        by_company[row["company_id"]] += row["may"]
        oldest[lane] = min(oldest.get(lane, row["oldest"]), row["oldest"])
    expired: Counter[str] = Counter()
    for row in connection.execute(
        f"SELECT company_id, NOT ({closed}) AS may FROM pushes "
        "WHERE status = 'processing' AND lease_until < ?",
        (*given, now.timestamp()),
    ):
        expired[row["company_id"]] += 1
        by_company[row["company_id"]] += row["may"]
    in_flight = _in_flight(connection) - expired
    return QueueCounts(
        waiting=dict(waiting),
        oldest_queued_at={lane: moment(value) for lane, value in oldest.items()},
        in_flight=sum(in_flight.values()),
        claimable=0
        if held_seconds(connection, now)
        else claimable(
            by_company,
            in_flight,
            at_most=limits.in_flight,
            per_company=limits.per_company,
        ),
    )


def positions(connection: sqlite3.Connection, workflow_ids: Sequence[str]) -> dict[str, int]:
    """Places of queued pushes; others are absent."""
    lanes = _lane_states(connection)
    found = {}
    for workflow_id, lane, rank in _ranks(connection, workflow_ids):
        found[workflow_id] = position(Lane(lane), rank, lanes)
    return found


def _ranks(
    connection: sqlite3.Connection, workflow_ids: Sequence[str]
) -> Iterable[tuple[str, str, int]]:
    if len(workflow_ids) > _FEW:
        wanted = set(workflow_ids)
        for row in connection.execute(
            "SELECT workflow_id, lane, row_number() OVER (PARTITION BY lane ORDER BY tag, seq) "
            "AS place FROM pushes WHERE status = 'queued'"
        ):
            if row["workflow_id"] in wanted:
                yield row["workflow_id"], row["lane"], row["place"]
        return
    for row in list(
        rows_in(
            connection,
            "SELECT workflow_id, lane, tag, seq FROM pushes "
            "WHERE status = 'queued' AND workflow_id IN",
            workflow_ids,
        )
    ):
        rank = connection.execute(
            "SELECT count(*) FROM pushes "
            "WHERE status = 'queued' AND lane = ? AND (tag, seq) <= (?, ?)",
            (row["lane"], row["tag"], row["seq"]),
        ).fetchone()[0]
        yield row["workflow_id"], row["lane"], rank


def _choose(
    connection: sqlite3.Connection, n: int, in_flight: Counter[str], limits: ClaimLimits
) -> list[sqlite3.Row]:
    states = _lane_states(connection)
    per_company = limits.per_company
    full = [company for company, held in in_flight.items() if held >= per_company]
    rows = {lane: _candidates(connection, lane, full, limits) for lane in LANES}
    heads = {lane: next(rows[lane], None) for lane in LANES}
    virtual = _counter(connection, "virtual_time")
    tags: dict[Lane, int] = {}
    chosen: list[sqlite3.Row] = []
    while len(chosen) < n:
        lane = next_lane(
            {
                lane: LaneState(state.served, 1 if heads[lane] is not None else 0)
                for lane, state in states.items()
            }
        )
        if lane is None:
            break
        row = heads[lane]
        assert row is not None
        heads[lane] = next(rows[lane], None)
        if in_flight[row["company_id"]] >= per_company:
            continue
        chosen.append(row)
        in_flight[row["company_id"]] += 1
        served = states[lane].served + 1
        states[lane] = LaneState(served, states[lane].waiting)
        virtual = max(virtual, served * COST[lane])
        tags[lane] = max(tags.get(lane, 0), row["tag"])
    for lane, tag in tags.items():
        connection.execute(
            "UPDATE lanes SET served = ?, claimed_tag = max(claimed_tag, ?) WHERE lane = ?",
            (states[lane].served, tag, lane.value),
        )
    connection.execute("UPDATE counters SET value = ? WHERE name = 'virtual_time'", (virtual,))
    return chosen


def _closed(limits: ClaimLimits) -> tuple[str, tuple[str, ...]]:
    """A condition on pushes that must wait under the limits, and its parameters."""
    assessors, companies = limits.closed_assessors, limits.closed_companies
    return (
        f"ifnull(assessor, '') IN ({', '.join('?' * len(assessors))}) "
        f"OR (ifnull(assessor, '') = ? AND company_id IN ({', '.join('?' * len(companies))}))",
        (*assessors, limits.paid_assessor, *companies),
    )


def _candidates(
    connection: sqlite3.Connection, lane: Lane, full: Sequence[str], limits: ClaimLimits
) -> Iterator[sqlite3.Row]:
    marks = ", ".join("?" * len(full))
    closed, given = _closed(limits)
    return connection.execute(
        "SELECT body, tag, company_id, leases_lost FROM pushes WHERE status = 'queued' "
        f"AND lane = ? AND company_id NOT IN ({marks}) AND NOT ({closed}) ORDER BY tag, seq",
        (lane.value, *full, *given),
    )


def _take(
    connection: sqlite3.Connection, push: Push, leases_lost: int, lease: Lease, token: int
) -> Push:
    return save(
        connection,
        push,
        {
            "status": WorkflowState.PROCESSING,
            "started_at": push.started_at or lease.now,
            "attempts": push.attempts + 1,
            "run_id": lease.run_id,
            "worker": lease.worker,
            "token": token,
            "lease_until": lease.until,
            "leases_lost": leases_lost,
        },
    )


def _take_back_expired(connection: sqlite3.Connection, now: datetime) -> None:
    for row in connection.execute(
        "SELECT body, worker, leases_lost FROM pushes "
        "WHERE status = 'processing' AND lease_until < ? ORDER BY seq",
        (now.timestamp(),),
    ).fetchall():
        push, lost = push_of(row), row["leases_lost"] + 1
        changes: dict[str, Any] = {
            "worker": None,
            "lease_until": None,
            "leases_lost": lost,
            "current_step": None,
        }
        if lost >= MAX_LEASES:
            changes |= {
                "status": WorkflowState.FAILED,
                "completed_at": now,
                "error": given_up(lost, push.current_step),
            }
        else:
            changes["status"] = WorkflowState.QUEUED
        save(connection, push, changes)


def _insert(connection: sqlite3.Connection, new: NewPush, tag: int) -> None:
    push = new.push
    insert(
        connection,
        "pushes",
        {**push_columns(push), "lane": push.lane.value, "tag": tag, "assessor": push.assessor},
        "INSERT",
    )
    connection.execute(
        "INSERT INTO requests VALUES (?, ?)", (push.workflow_id, new.request.model_dump_json())
    )


def _tag(connection: sqlite3.Connection, push: Push) -> int:
    row = connection.execute(
        "SELECT claimed_tag, (SELECT tag FROM company_tags WHERE lane = lanes.lane AND "
        "company_id = ?) AS company_tag FROM lanes WHERE lane = ?",
        (push.company_id, push.lane.value),
    ).fetchone()
    tag = next_tag(row["claimed_tag"], row["company_tag"] or 0)
    connection.execute(
        "INSERT INTO company_tags VALUES (?, ?, ?) "
        "ON CONFLICT (lane, company_id) DO UPDATE SET tag = excluded.tag",
        (push.lane.value, push.company_id, tag),
    )
    return tag


def _wake(connection: sqlite3.Connection, lanes: Iterable[Lane]) -> None:
    virtual = _counter(connection, "virtual_time")
    for lane, state in _lane_states(connection).items():
        if lane in lanes:
            connection.execute(
                "UPDATE lanes SET served = ? WHERE lane = ?",
                (served_on_wake(lane, state.served, virtual), lane.value),
            )


def _waiting(connection: sqlite3.Connection) -> Counter[Lane]:
    found: Counter[Lane] = Counter()
    for row in connection.execute(
        "SELECT lane, count(*) AS n FROM pushes WHERE status = 'queued' GROUP BY lane"
    ):
        found[Lane(row["lane"])] = row["n"]
    return found


def _lane_states(connection: sqlite3.Connection) -> dict[Lane, LaneState]:
    waiting = _waiting(connection)
    return {
        lane: LaneState(row["served"], waiting[lane])
        for row in connection.execute("SELECT lane, served FROM lanes")
        for lane in (Lane(row["lane"]),)
    }


def _in_flight(connection: sqlite3.Connection) -> Counter[str]:
    return Counter(
        {
            row["company_id"]: row["n"]
            for row in connection.execute(
                "SELECT company_id, count(*) AS n FROM pushes "
                "WHERE status = 'processing' GROUP BY 1"
            )
        }
    )


def _new_token(connection: sqlite3.Connection, now: datetime) -> int:
    # At least the clock, so that tokens rise also when the file is lost.
    token = max(_counter(connection, "token") + 1, micros(now))
    connection.execute("UPDATE counters SET value = ? WHERE name = 'token'", (token,))
    return token


def _counter(connection: sqlite3.Connection, name: str) -> int:
    row = connection.execute("SELECT value FROM counters WHERE name = ?", (name,)).fetchone()
    return int(row["value"])
