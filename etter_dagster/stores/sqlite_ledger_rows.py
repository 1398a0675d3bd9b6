"""The embedded ledger inside a transaction: what counts now, and what an attempt changes."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta

from etter_dagster.model.breaker import Breaker, Signal
from etter_dagster.model.errors import LeaseLost
from etter_dagster.model.ledger import (
    MICRO,
    Attempt,
    CallId,
    NewAttempt,
    Outcome,
    Past,
    RawAnswer,
    Spending,
)
from etter_dagster.model.spending import Refusal, Situation, SpendLimits, Why, periods, refuse
from etter_dagster.stores.ledger import KEEP_ANSWERS_SECONDS
from etter_dagster.stores.times import micros, moment

_ALIVE = "holder IN (SELECT holder FROM holders WHERE until >= :now)"
_OWN = ("key", "part", "subject", "assessor", "role_id", "company_id")


def take(connection: sqlite3.Connection, subject: str, holder: str, now: datetime) -> bool:
    """Takes a subject unless a living holder has it; what a dead one had open is lost."""
    given = {"subject": subject, "holder": holder, "now": micros(now)}
    taken = connection.execute(
        f"SELECT 1 FROM taken WHERE subject = :subject AND {_ALIVE}", given
    ).fetchone()
    if taken is not None:
        return False
    connection.execute("INSERT OR REPLACE INTO taken VALUES (:subject, :holder)", given)
    connection.execute(
        "UPDATE attempts SET outcome = 'lost', ended_at = :now, "
        "error = 'its worker was lost' WHERE subject = :subject AND outcome = 'open'",
        given,
    )
    return True


def free(connection: sqlite3.Connection, subject: str, holder: str, now: datetime) -> None:
    """Lets a subject go; an attempt that was given up before it was sent may still be open."""
    freed = connection.execute(
        "DELETE FROM taken WHERE subject = ? AND holder = ?", (subject, holder)
    )
    if freed.rowcount:
        connection.execute(
            "UPDATE attempts SET outcome = 'lost', ended_at = ?, error = 'it was given up' "
            "WHERE subject = ? AND outcome = 'open'",
            (micros(now), subject),
        )


def leave(connection: sqlite3.Connection, holder: str, now: datetime) -> None:
    """Frees all that a holder has; what it has open is lost."""
    connection.execute(
        "UPDATE attempts SET outcome = 'lost', ended_at = ?, error = 'its worker has ended' "
        "WHERE holder = ? AND outcome = 'open'",
        (micros(now), holder),
    )
    connection.execute("DELETE FROM taken WHERE holder = ?", (holder,))
    connection.execute("DELETE FROM holders WHERE holder = ?", (holder,))


def past(connection: sqlite3.Connection, call: CallId) -> Past:
    """What is known about a call."""
    last = connection.execute(
        "SELECT * FROM attempts WHERE key = ? AND part = ? ORDER BY attempt_id DESC LIMIT 1",
        (call.key, call.part),
    ).fetchone()
    answer = (
        last
        and connection.execute(
            "SELECT body FROM answers WHERE attempt_id = ?", (last["attempt_id"],)
        ).fetchone()
    )
    of_role = (call.role_id, call.assessor)
    references = connection.execute(
        "SELECT DISTINCT reference FROM attempts WHERE role_id = ? AND assessor = ? AND "
        "outcome = 'done' AND reference IS NOT NULL",
        of_role,
    ).fetchall()
    text = connection.execute(
        "SELECT text_hash FROM attempts WHERE role_id = ? AND assessor = ? "
        "AND outcome NOT IN ('refused', 'unsent') ORDER BY attempt_id DESC LIMIT 1",
        of_role,
    ).fetchone()
    cost = connection.execute(
        "SELECT sum(cost) AS cost FROM attempts WHERE key = ? AND part = ?", (call.key, call.part)
    ).fetchone()["cost"]
    return Past(
        last=attempt_of(last) if last else None,
        answer=RawAnswer.model_validate_json(answer["body"]) if answer else None,
        references=tuple(row["reference"] for row in references),
        text_hash=text["text_hash"] if text else None,
        cost=(cost or 0) / MICRO,
    )


def begin(
    connection: sqlite3.Connection, new: NewAttempt, limits: SpendLimits, now: datetime
) -> Attempt | Refusal:
    """Records an attempt, or says why not."""
    call = new.call
    held = connection.execute(
        "SELECT 1 FROM taken WHERE subject = ? AND holder = ?", (call.subject, new.holder)
    ).fetchone()
    if held is None:
        raise LeaseLost(call.subject)
    before = connection.execute(
        "SELECT count(*) AS n, max(attempt_id) AS last FROM attempts "
        "WHERE workflow_id = ? AND key = ? AND part = ?",
        (new.workflow_id, call.key, call.part),
    ).fetchone()
    if before["n"] >= limits.attempts:
        return Refusal(
            why=Why.ATTEMPTS,
            at=now,
            message=f"it was tried {before['n']} times",
            last_error=get(connection, before["last"]).error,
        )
    found = situation(connection, call.assessor, limits, now)
    refusal = refuse(found, limits, company=call.company_id, share=new.share)
    if refusal is not None:
        return refusal
    row = {
        **call.model_dump(),
        "workflow_id": new.workflow_id,
        "holder": new.holder,
        "number": before["n"] + 1,
        "text_hash": new.text_hash,
        "notes": json.dumps(new.notes),
        "outcome": Outcome.OPEN.value,
        "began_at": micros(now),
        "cost": round(limits.cost * new.share * MICRO),
    }
    attempt_id = connection.execute(
        f"INSERT INTO attempts ({', '.join(row)}) VALUES ({', '.join(f':{n}' for n in row)})", row
    ).lastrowid
    assert attempt_id is not None
    attempt = get(connection, attempt_id)
    _spend(connection, attempt, row["cost"])
    if found.breaker.half_open(now):
        _put_breaker(
            connection, call.assessor, found.breaker.model_copy(update={"probe": attempt_id})
        )
    return attempt


def answered(
    connection: sqlite3.Connection, attempt_id: int, answer: RawAnswer, now: datetime
) -> None:
    """Stores a raw answer; what it says of its cost holds."""
    attempt = get(connection, attempt_id)
    connection.execute(
        "INSERT OR REPLACE INTO answers VALUES (?, ?)", (attempt_id, answer.model_dump_json())
    )
    connection.execute(
        "DELETE FROM answers WHERE attempt_id IN (SELECT attempt_id FROM attempts "
        "WHERE ended_at < ? AND attempt_id IN "
        "(SELECT attempt_id FROM answers ORDER BY attempt_id LIMIT 10))",
        (micros(now - timedelta(seconds=KEEP_ANSWERS_SECONDS)),),
    )
    cost = round((attempt.cost if answer.cost is None else answer.cost) * MICRO)
    _settle(connection, attempt, Outcome.ANSWERED, cost, now)


def ended(
    connection: sqlite3.Connection,
    attempt_id: int,
    outcome: Outcome,
    signal: Signal,
    reference: str | None,
    error: str | None,
    now: datetime,
) -> Attempt:
    """Notes how an attempt ended."""
    attempt = get(connection, attempt_id)
    _settle(connection, attempt, outcome, 0 if outcome.free else round(attempt.cost * MICRO), now)
    connection.execute(
        "UPDATE attempts SET reference = ?, error = ? WHERE attempt_id = ?",
        (reference, error, attempt_id),
    )
    note(connection, attempt.call.assessor, signal, now)
    return get(connection, attempt_id)


def note(connection: sqlite3.Connection, assessor: str, signal: Signal, now: datetime) -> None:
    """Tells the breaker."""
    before = _breaker(connection, assessor)
    after = before.after(signal, now)
    if after != before:
        _put_breaker(connection, assessor, after)


def situation(
    connection: sqlite3.Connection, assessor: str, limits: SpendLimits, now: datetime
) -> Situation:
    """What counts now."""
    day, month = periods(now)
    breaker = _breaker(connection, assessor)
    given = {"assessor": assessor, "now": micros(now), "probe": breaker.probe}
    living = (
        "SELECT count(*) FROM attempts WHERE assessor = :assessor AND outcome = 'open' "
        f"AND {_ALIVE}"
    )
    money = {
        (row["period"], row["company_id"]): row["money"]
        for row in connection.execute("SELECT * FROM spending WHERE period IN (?, ?)", (day, month))
    }
    begun, frees_at = _begun(connection, assessor, limits, now)
    return Situation(
        at=now,
        breaker=breaker,
        probing=bool(connection.execute(f"{living} AND attempt_id = :probe", given).fetchone()[0]),
        outstanding=connection.execute(living, given).fetchone()[0],
        begun=begun,
        frees_at=frees_at,
        day=money.get((day, ""), 0),
        month=money.get((month, ""), 0),
        companies={c: m for (period, c), m in money.items() if c and period == month},
    )


def spending(connection: sqlite3.Connection, now: datetime) -> Spending:
    """Attempts and money at a glance."""
    found = situation(connection, "", SpendLimits(), now)
    outcomes = connection.execute(
        "SELECT outcome, count(*) AS n, sum(cost) AS money FROM attempts GROUP BY outcome"
    ).fetchall()
    return Spending(
        day=found.day / MICRO,
        month=found.month / MICRO,
        companies={company: money / MICRO for company, money in found.companies.items()},
        attempts={row["outcome"]: row["n"] for row in outcomes},
        cost=sum(row["money"] for row in outcomes) / MICRO,
    )


def forget_answers(connection: sqlite3.Connection, company_id: str) -> int:
    """Deletes what a company's calls said; gives how many calls stay."""
    connection.execute(
        "DELETE FROM answers WHERE attempt_id IN "
        "(SELECT attempt_id FROM attempts WHERE company_id = ?)",
        (company_id,),
    )
    kept = connection.execute(
        "UPDATE attempts SET error = NULL WHERE company_id = ?", (company_id,)
    )
    return kept.rowcount


def get(connection: sqlite3.Connection, attempt_id: int) -> Attempt:
    """An attempt."""
    return attempt_of(
        connection.execute("SELECT * FROM attempts WHERE attempt_id = ?", (attempt_id,)).fetchone()
    )


def attempt_of(row: sqlite3.Row) -> Attempt:
    """The attempt of a row."""
    return Attempt(
        attempt_id=row["attempt_id"],
        call=CallId(**{name: row[name] for name in _OWN}),
        workflow_id=row["workflow_id"],
        number=row["number"],
        text_hash=row["text_hash"],
        notes=json.loads(row["notes"]),
        outcome=Outcome(row["outcome"]),
        began_at=moment(row["began_at"]),
        ended_at=None if row["ended_at"] is None else moment(row["ended_at"]),
        cost=row["cost"] / MICRO,
        reference=row["reference"],
        error=row["error"],
    )


def _begun(
    connection: sqlite3.Connection, assessor: str, limits: SpendLimits, now: datetime
) -> tuple[int, datetime | None]:
    if limits.per_minute is None:
        return 0, None
    count, time = limits.window
    of = "FROM attempts WHERE assessor = ? AND began_at > ?"
    given = (assessor, micros(now - time))
    begun = connection.execute(f"SELECT count(*) {of}", given).fetchone()[0]
    first = connection.execute(
        f"SELECT began_at {of} ORDER BY began_at DESC LIMIT 1 OFFSET {count - 1}", given
    ).fetchone()
    return begun, moment(first["began_at"]) + time if first else None


def _settle(
    connection: sqlite3.Connection, attempt: Attempt, outcome: Outcome, cost: int, now: datetime
) -> None:
    connection.execute(
        "UPDATE attempts SET outcome = ?, ended_at = ?, cost = ? WHERE attempt_id = ?",
        (outcome.value, micros(now), cost, attempt.attempt_id),
    )
    _spend(connection, attempt, cost - round(attempt.cost * MICRO))


def _spend(connection: sqlite3.Connection, attempt: Attempt, money: int) -> None:
    """Adds to the day and month in which the attempt began."""
    if not money:
        return
    day, month = periods(attempt.began_at)
    for period, company in ((day, ""), (month, ""), (month, attempt.call.company_id)):
        connection.execute(
            "INSERT INTO spending VALUES (?, ?, ?) "
            "ON CONFLICT (period, company_id) DO UPDATE SET money = money + excluded.money",
            (period, company, money),
        )


def _breaker(connection: sqlite3.Connection, assessor: str) -> Breaker:
    row = connection.execute("SELECT body FROM breakers WHERE assessor = ?", (assessor,)).fetchone()
    return Breaker.model_validate_json(row["body"]) if row else Breaker()


def _put_breaker(connection: sqlite3.Connection, assessor: str, breaker: Breaker) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO breakers VALUES (?, ?)", (assessor, breaker.model_dump_json())
    )
