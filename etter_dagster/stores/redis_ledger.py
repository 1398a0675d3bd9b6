"""The `Ledger` in Redis: what is decided in `model/spending.py` is written by Lua scripts.

A decision is made here over what a script has read, and written by another script that does so
only if nothing has begun since; else it is made again. So each rule stands once, for both stores.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

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
from etter_dagster.settings import Settings
from etter_dagster.stores.ledger import KEEP_ANSWERS_SECONDS
from etter_dagster.stores.redis_connection import unavailable
from etter_dagster.stores.redis_scripts import AT_ONCE, ROOT
from etter_dagster.stores.redis_store import RedisStore
from etter_dagster.stores.times import moment

_KEPT_SECONDS = 86_400  # beginnings that no window counts any more are forgotten
_ALL = ""


class RedisLedger(RedisStore):
    """`Ledger` in Redis."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] | None) -> None:
        super().__init__(settings, clock)
        # Tasks of one process take turns, so that they do not make each other decide again.
        self._deciding = asyncio.Lock()

    async def ping(self) -> None:
        client = await self._server.client()
        with unavailable():
            await client.set(_key("ping"), "")

    async def beat(self, holder: str, *, ttl_seconds: float) -> None:
        await self._run("beat", holder, round(ttl_seconds * 1e6))

    async def leave(self, holder: str) -> None:
        await self._run("leave", holder)

    async def take(self, subject: str, holder: str) -> bool:
        return bool(await self._run("take", subject, holder))

    async def free(self, subject: str, holder: str) -> None:
        await self._run("free", subject, holder)

    async def past(self, call: CallId) -> Past:
        last, answer, references, text, cost = await self._run(
            "past", call.key, call.part, call.assessor, call.role_id
        )
        return Past(
            last=_attempt(last) if last else None,
            answer=RawAnswer.model_validate_json(answer) if answer else None,
            references=tuple(sorted(references)),
            text_hash=text,
            cost=int(cost) / MICRO,
        )

    async def begin(self, new: NewAttempt, limits: SpendLimits) -> Attempt | Refusal:
        async with self._deciding:
            while True:
                done = await self._begin(new, limits)
                if done is not None:
                    return done

    async def _begin(self, new: NewAttempt, limits: SpendLimits) -> Attempt | Refusal | None:
        """One try; None where something began meanwhile."""
        call = new.call
        now, version, breaker, found = await self._situation(call.assessor, limits)
        refusal = refuse(found, limits, company=call.company_id, share=new.share)
        day, month = periods(now)
        values: dict[str, Any] = {
            **call.model_dump(),
            "workflow_id": new.workflow_id,
            "holder": new.holder,
            "text_hash": new.text_hash,
            "notes": json.dumps(new.notes),
            "cost": round(limits.cost * new.share * MICRO),
            "day": day,
            "month": month,
        }
        said = await self._run(
            "begin",
            "" if refusal else version,
            breaker,
            int(found.breaker.half_open(now)),
            limits.attempts,
            _kept(limits),
            *(word for pair in values.items() for word in pair),
        )
        if said[0] == "lost":
            raise LeaseLost(call.subject)
        if said[0] == "attempts":
            message = f"it was tried {said[1]} times"
            return Refusal(why=Why.ATTEMPTS, message=message, at=now, last_error=said[2] or None)
        return _attempt(said[1]) if said[0] == "begun" else refusal  # None: it must decide again

    async def answered(self, attempt_id: int, answer: RawAnswer) -> None:
        cost = "" if answer.cost is None else round(answer.cost * MICRO)
        body = answer.model_dump_json()
        await self._run("settle", attempt_id, Outcome.ANSWERED.value, cost, body, "", "")
        client = await self._server.client()
        with unavailable():
            await client.expire(_key("answer", str(attempt_id)), KEEP_ANSWERS_SECONDS)

    async def ended(
        self,
        attempt_id: int,
        outcome: Outcome,
        signal: Signal,
        *,
        reference: str | None = None,
        error: str | None = None,
    ) -> Attempt:
        client = await self._server.client()
        with unavailable():
            assessor = await client.hget(_key("attempt", str(attempt_id)), "assessor")
        while True:
            before, after = await self._breaker(str(assessor), signal)
            said = await self._run(
                "settle",
                attempt_id,
                outcome.value,
                0 if outcome.free else "",
                "",
                before,
                after,
                *("reference", reference or "", "error", error or ""),
            )
            if said:
                return _attempt(said)

    async def note(self, assessor: str, signal: Signal) -> None:
        while not await self._run("note", assessor, *await self._breaker(assessor, signal)):
            pass

    async def situation(self, assessor: str, limits: SpendLimits) -> Situation:
        return (await self._situation(assessor, limits))[3]

    async def spending(self) -> Spending:
        now = (await self._situation(_ALL, SpendLimits()))[0]
        day, month = await self._spent(now)
        client = await self._server.client()
        with unavailable():
            outcomes = await client.hgetall(_key("outcomes"))
            cost = await client.hget(_key("totals"), "cost")
        return Spending(
            day=day.get(_ALL, 0) / MICRO,
            month=month.get(_ALL, 0) / MICRO,
            companies={company: money / MICRO for company, money in month.items() if company},
            attempts={outcome: int(n) for outcome, n in outcomes.items()},
            cost=int(cost or 0) / MICRO,
        )

    async def attempts(self, *, role_id: str | None = None, limit: int = 200) -> Sequence[Attempt]:
        client = await self._server.client()
        found: list[Attempt] = []
        start = 0
        with unavailable():
            while len(found) < limit:
                ids = await client.zrevrange(_key("attempts"), start, start + 499)
                if not ids:
                    break
                start += len(ids)
                async with client.pipeline(transaction=False) as pipe:
                    for attempt_id in ids:
                        pipe.hgetall(_key("attempt", str(attempt_id)))
                    rows = await pipe.execute()
                found += [_attempt(row) for row in rows if role_id in (None, row.get("role_id"))]
        return found[:limit]

    async def forget_answers(self, company_id: str) -> int:
        client = await self._server.client()
        kept = start = 0
        with unavailable():
            while ids := await client.zrange(_key("attempts"), start, start + AT_ONCE - 1):
                start += len(ids)
                async with client.pipeline(transaction=False) as pipe:
                    for attempt_id in ids:
                        pipe.hget(_key("attempt", str(attempt_id)), "company_id")
                    whose = await pipe.execute()
                    own = [i for i, c in zip(ids, whose, strict=True) if c == company_id]
                    for attempt_id in own:
                        pipe.delete(_key("answer", str(attempt_id)))
                        pipe.hdel(_key("attempt", str(attempt_id)), "error")
                    await pipe.execute()
                kept += len(own)
        return kept

    async def _situation(
        self, assessor: str, limits: SpendLimits
    ) -> tuple[datetime, str, str, Situation]:
        """The present, the version and the breaker as stored, and what counts."""
        calls, time = (0, 0) if limits.per_minute is None else _window(limits)
        said = await self._run("situation", assessor, time, calls)
        now, version, breaker, probing, outstanding, begun, newest = said
        present = moment(int(now))
        day, month = await self._spent(present)
        return (
            present,
            version,
            breaker,
            Situation(
                at=present,
                breaker=_breaker(breaker),
                probing=bool(probing),
                outstanding=outstanding,
                begun=begun,
                frees_at=moment(int(float(newest)) + time) if newest else None,
                day=day.get(_ALL, 0),
                month=month.get(_ALL, 0),
                companies={company: money for company, money in month.items() if company},
            ),
        )

    async def _spent(self, now: datetime) -> tuple[Mapping[str, int], Mapping[str, int]]:
        day, month = await self._run("spent", *periods(now))
        return _money(day), _money(month)

    async def _breaker(self, assessor: str, signal: Signal) -> tuple[str, str]:
        """The breaker as stored, and as it is to be."""
        now, _, before, found = await self._situation(assessor, SpendLimits())
        after = found.breaker.after(signal, now)
        return before, before if after == found.breaker else after.model_dump_json()

    async def _run(self, name: str, *values: str | int | float) -> Any:
        return await super()._run(f"ledger_{name}", *values)


def _key(*parts: str) -> str:
    return ":".join((ROOT, "ledger", *parts))


def _window(limits: SpendLimits) -> tuple[int, int]:
    count, time = limits.window
    return count, round(time.total_seconds() * 1e6)


def _kept(limits: SpendLimits) -> int:
    time = 0 if limits.per_minute is None else _window(limits)[1]
    return max(time, round(_KEPT_SECONDS * 1e6))


def _breaker(text: str) -> Breaker:
    return Breaker.model_validate_json(text) if text else Breaker()


def _money(flat: Sequence[str]) -> Mapping[str, int]:
    return {name: int(n) for name, n in zip(flat[::2], flat[1::2], strict=True)}


def _attempt(found: Sequence[str] | Mapping[str, str]) -> Attempt:
    row = found if isinstance(found, Mapping) else dict(zip(found[::2], found[1::2], strict=True))
    return Attempt(
        attempt_id=int(row["attempt_id"]),
        call=CallId(**{name: row[name] for name in CallId.model_fields}),
        workflow_id=row["workflow_id"],
        number=int(row["number"]),
        text_hash=row["text_hash"],
        notes=json.loads(row["notes"]),
        outcome=Outcome(row["outcome"]),
        began_at=moment(int(row["began_at"])),
        ended_at=moment(int(row["ended_at"])) if row.get("ended_at") else None,
        cost=int(row["cost"]) / MICRO,
        reference=row.get("reference") or None,
        error=row.get("error") or None,
    )
