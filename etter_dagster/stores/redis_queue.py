"""The `PushQueue` on Redis 7: many machines, each change one Lua script (`lua/`).

Times are the server's own unless a clock is given, so machines whose clocks differ agree on when a
lease ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from etter_dagster.model.claim_order import LANES, Lane, LaneState, claimable, position
from etter_dagster.model.errors import (
    AlreadyProcessing,
    CompanyAtWork,
    IllegalMove,
    LeaseLost,
    NotFound,
)
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push, PushRequest, StepRecord
from etter_dagster.stores import redis_looking as looking
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
from etter_dagster.stores.redis_company import archived_of, delete_batches
from etter_dagster.stores.redis_connection import unavailable
from etter_dagster.stores.redis_pushes import (
    arguments,
    error_json,
    push_of,
    push_of_pairs,
    steps_json,
)
from etter_dagster.stores.redis_scripts import AT_ONCE, ROOT
from etter_dagster.stores.redis_store import RedisStore
from etter_dagster.stores.times import micros, moment

R = TypeVar("R", bound=BaseModel)
T = TypeVar("T")
RESERVED_SECONDS = 60  # a request that died with its process blocks its key no longer than this
# Of new pushes in one script: a few milliseconds, and their documents can be large.
_CHUNK, _CHUNK_BYTES = 100, 1_000_000
_CLAIMS = 100  # pushes that one script hands out


class RedisPushQueue(RedisStore):
    """`PushQueue` in a Redis database."""

    async def ping(self) -> None:
        client = await self._server.client()
        with unavailable():
            await client.set(_key("ping"), "")

    async def migrate(self) -> tuple[int, int]:
        """Brings all that Etter keeps in this Redis to the newest version, the ledger too."""
        return await self._server.migrate()

    async def check_schema(self) -> None:
        """Raises unless the version is this code's."""
        await self._server.client()

    # -- producers ---------------------------------------------------------------------------
    async def enqueue(self, pushes: Sequence[NewPush], *, capacity: int) -> list[Enqueued]:
        answers: list[Enqueued] = []
        for chunk in _chunks(pushes):
            said = await self._run("enqueue", capacity, *chunk)
            answers += [
                Enqueued(full=True)
                if word == "!"
                else Enqueued(accepted=True)
                if word == "+"
                else Enqueued(active=word)
                for word in said
            ]
        return answers

    async def enqueue_claimed(self, push: NewPush, *, worker: str, lease_seconds: float) -> Claim:
        said = await self._run("enqueue_claimed", worker, _us(lease_seconds), *arguments(push))
        if len(said) == 1:
            raise AlreadyProcessing(push.push.role_name, said[0])
        return Claim(push=push_of_pairs(said[1]), request=push.request, token=said[0])

    async def cancel(self, workflow_id: str, *, now: datetime) -> Push:
        said = await self._run("cancel", workflow_id, micros(now))
        if not said:
            raise NotFound(workflow_id)
        return _moved(said, workflow_id, WorkflowState.CANCELLED)

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
        claims: list[Claim] = []
        while (wanted := min(_CLAIMS, n - len(claims))) > 0:
            said = await self._run(
                "claim",
                worker,
                wanted,
                limits.in_flight,
                limits.per_company,
                _us(lease_seconds),
                run_id or "",
                n - len(claims),
                len(limits.closed_assessors),
                *limits.closed_assessors,
                limits.paid_assessor,
                *limits.closed_companies,
            )
            claims += [
                Claim(
                    push=push_of_pairs(push),
                    request=PushRequest.model_validate_json(request),
                    token=token,
                )
                for token, push, request in said
            ]
            if len(said) < wanted:
                break
        return claims

    async def heartbeat(
        self,
        worker: str,
        tokens: Mapping[str, int],
        *,
        lease_seconds: float,
        free_places: int,
        claiming: bool,
    ) -> set[str]:
        lost: set[str] = set()
        for part in _parts(list(tokens.items())) or [[]]:
            lost |= set(
                await self._run(
                    "heartbeat",
                    worker,
                    _us(lease_seconds),
                    free_places,
                    int(claiming),
                    *(value for pair in part for value in pair),
                )
            )
        return lost

    async def progress(
        self,
        workflow_id: str,
        token: int,
        *,
        steps: Sequence[StepRecord],
        current_step: str | None,
    ) -> None:
        _held(
            await self._run("progress", workflow_id, token, steps_json(steps), current_step or ""),
            workflow_id,
        )

    async def finish(self, workflow_id: str, token: int, finish: Finish) -> Push:
        score = finish.ai_automation_score
        said = await self._run(
            "finish",
            workflow_id,
            token,
            finish.status.value,
            micros(finish.completed_at),
            steps_json(finish.steps),
            error_json(finish.error),
            finish.error.code if finish.error else "",
            "" if score is None else repr(score),
            int(finish.status in (WorkflowState.READY, WorkflowState.DEGRADED)),
        )
        _held(said, workflow_id)
        return _moved(said, workflow_id, finish.status)

    async def give_back(self, workflow_id: str, token: int, *, assessor: str | None = None) -> None:
        _held(await self._run("give_back", workflow_id, token, assessor or ""), workflow_id)

    async def give_back_unheard(self, worker: str, known: Sequence[str]) -> None:
        await self._run("give_back_unheard", worker, *known)

    async def leave(self, worker: str) -> None:
        while await self._run("leave", worker):
            pass

    async def workers(self) -> list[WorkerInfo]:
        return sorted(
            (
                WorkerInfo(
                    worker=name,
                    free_places=int(state.split(":")[0]),
                    claiming=state.endswith(":1"),
                    seen_at=moment(int(float(seen))),
                )
                for name, state, seen in await self._run("workers")
            ),
            key=lambda info: info.worker,
        )

    async def counts(self, limits: ClaimLimits) -> QueueCounts:
        lanes, backlog, held, expired, closed, paid, paused = await self._run(
            "counts", limits.paid_assessor, *limits.closed_assessors
        )
        lapsed = Counter[str](company for company, _ in expired)
        in_flight = _by_company(held) - lapsed
        free = _by_company(backlog)
        free.update(company for company, name in expired if not _waits(limits, company, name))
        for waiting in closed:
            free -= _by_company(waiting)
        if limits.paid_assessor not in limits.closed_assessors:
            waiting = _by_company(paid)
            free -= Counter({company: waiting[company] for company in limits.closed_companies})
        return QueueCounts(
            waiting={lane: n for lane, (n, _) in zip(LANES, lanes, strict=True) if n},
            oldest_queued_at={
                lane: moment(int(float(oldest)))
                for lane, (n, oldest) in zip(LANES, lanes, strict=True)
                if n
            },
            in_flight=in_flight.total(),
            claimable=0
            if paused
            else claimable(
                free,
                in_flight,
                at_most=limits.in_flight,
                per_company=limits.per_company,
            ),
        )

    async def waiting_for(self, assessor: str) -> dict[str, int]:
        client = await self._server.client()
        with unavailable():
            found = await client.hgetall(_key("backlog", assessor))
        return {str(company): int(number) for company, number in found.items()}

    async def hold_claims(self, seconds: float) -> None:
        await self._run("hold", _us(seconds))

    async def claims_held(self) -> float:
        return float(await self._run("hold", "")) / 1e6

    async def wait_changed(self, since: int, timeout: float) -> int:
        await self._server.client()
        return await self._server.changes.wait(since, timeout)

    # -- looking -----------------------------------------------------------------------------
    async def get(self, workflow_id: str) -> Push | None:
        return (await self.get_many([workflow_id])).get(workflow_id)

    async def get_many(self, workflow_ids: Sequence[str]) -> dict[str, Push]:
        client = await self._server.client()
        found: dict[str, Push] = {}
        for part in _parts(workflow_ids):
            with unavailable():
                async with client.pipeline(transaction=False) as pipe:
                    for workflow_id in part:
                        pipe.hgetall(_key("push", workflow_id))
                    rows = await pipe.execute()
            found |= {wid: push_of(row) for wid, row in zip(part, rows, strict=True) if row}
        return found

    async def request(self, workflow_id: str) -> PushRequest | None:
        return await self._record("request", workflow_id, PushRequest)

    async def active(self, role_ids: Sequence[str]) -> dict[str, Push]:
        client = await self._server.client()
        ids: list[Any] = []
        for part in _parts(role_ids):
            with unavailable():
                ids += [wid for wid in await client.hmget(_key("active"), part) if wid]
        pushes = await self.get_many(ids)
        # One that ended between the two looks is active no more.
        return {p.role_id: p for p in pushes.values() if not p.status.terminal}

    async def active_of(self, company_id: str) -> dict[str, WorkflowState]:
        return await looking.active_of(self._server, company_id)

    async def positions(self, workflow_ids: Sequence[str]) -> dict[str, int]:
        places: dict[str, int] = {}
        for part in _parts(workflow_ids):
            states, found = await self._run("positions", *part)
            lanes = {
                lane: LaneState(served, waiting)
                for lane, (served, waiting) in zip(LANES, states, strict=True)
            }
            for workflow_id, lane, rank in found:
                places[workflow_id] = position(Lane(lane), rank, lanes)
        return places

    async def list_pushes(self, where: PushFilter, *, cursor: str | None, limit: int) -> PushPage:
        return await looking.list_pushes(self._server, where, cursor, limit)

    async def count_pushes(self, where: PushFilter) -> PushCounts:
        return await looking.count_pushes(self._server, where)

    async def durations(self, assessor: str) -> Durations:
        client = await self._server.client()
        with unavailable():
            found = [
                float(us) / 1e6 for us in await client.lrange(_key("durations", assessor), 0, -1)
            ]
        return Durations(count=len(found), mean_seconds=sum(found) / len(found) if found else 0.0)

    # -- outbox ------------------------------------------------------------------------------
    async def outbox(self, limit: int) -> list[Push]:
        client = await self._server.client()
        with unavailable():
            ids: list[Any] = await client.zrange(_key("outbox"), 0, limit - 1)
        return list((await self.get_many(ids)).values())

    async def archived(self, workflow_ids: Iterable[str]) -> None:
        for part in _parts(list(workflow_ids)):
            await self._run("archived", *part)

    async def prune(self, *, before: datetime) -> int:
        gone = 0
        while True:
            part: int = await self._run("prune", micros(before))
            gone += part
            if part < AT_ONCE:
                return gone

    async def delete_company(self, company_id: str) -> int:
        gone = 0
        # What has not ended goes with the first script, at once.
        for part in _parts(await archived_of(self._server, company_id)) or [[]]:
            held, deleted = await self._run("delete_company", company_id, *part)
            if held:
                raise CompanyAtWork(company_id, held)
            gone += deleted
        await delete_batches(self._server, company_id)
        return gone

    # -- batches, idempotency, operations -----------------------------------------------------
    async def put_batch(self, batch: Batch) -> None:
        await self._put_record("batch", batch.batch_id, batch)

    async def batch(self, batch_id: str) -> Batch | None:
        return await self._record("batch", batch_id, Batch)

    async def put_operation(self, operation: Operation) -> None:
        await self._put_record("operation", operation.operation_id, operation)

    async def operation(self, operation_id: str) -> Operation | None:
        return await self._record("operation", operation_id, Operation)

    async def reserve_key(
        self, scope: str, key: str, body_hash: str, *, ttl_seconds: float
    ) -> Reservation:
        said = await self._run(
            "reserve_key", _pair(scope, key), body_hash, _us(ttl_seconds), _us(RESERVED_SECONDS)
        )
        if isinstance(said, list):
            return Reservation(answer=StoredAnswer.model_validate_json(said[0]))
        return Reservation(fresh=said == "fresh", conflict=said == "conflict")

    async def store_answer(self, scope: str, key: str, answer: StoredAnswer) -> None:
        await self._run("answer_key", _pair(scope, key), answer.model_dump_json())

    async def release_key(self, scope: str, key: str) -> None:
        await self._run("answer_key", _pair(scope, key), "")

    # -- records -----------------------------------------------------------------------------
    async def _put_record(self, kind: str, record_id: str, record: BaseModel) -> None:
        client = await self._server.client()
        with unavailable():
            await client.set(_key(kind, record_id), record.model_dump_json())

    async def _record(self, kind: str, record_id: str, model: type[R]) -> R | None:
        client = await self._server.client()
        with unavailable():
            body = await client.get(_key(kind, record_id))
        return model.model_validate_json(body) if body else None


def _key(*parts: str) -> str:
    return ":".join((ROOT, *parts))


def _pair(scope: str, key: str) -> str:
    # With the length, so that no two pairs give one text.
    return f"{len(scope)}:{scope}:{key}"


def _us(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _parts(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[i : i + AT_ONCE] for i in range(0, len(items), AT_ONCE)]


def _chunks(pushes: Sequence[NewPush]) -> Iterator[list[str | int]]:
    """The arguments of new pushes, in parts that keep the server from others only shortly."""
    chunk: list[str | int] = []
    size = many = 0
    for new in pushes:
        values = arguments(new)
        weight = len(str(values[-1]))
        if chunk and (size + weight > _CHUNK_BYTES or many == _CHUNK):
            yield chunk
            chunk, size, many = [], 0, 0
        chunk += values
        size += weight
        many += 1
    if chunk:
        yield chunk


def _waits(limits: ClaimLimits, company: str, assessor: str) -> bool:
    """Whether pushes of a company for an assessor must wait."""
    paid = assessor == limits.paid_assessor and company in limits.closed_companies
    return paid or assessor in limits.closed_assessors


def _by_company(flat: Sequence[str]) -> Counter[str]:
    return Counter({name: int(n) for name, n in zip(flat[::2], flat[1::2], strict=True)})


def _held(said: object, workflow_id: str) -> None:
    if not said:
        raise LeaseLost(workflow_id)


def _moved(said: list[str], workflow_id: str, target: WorkflowState) -> Push:
    """The push that a script gave, or its status, which forbade the move."""
    if len(said) == 1:
        raise IllegalMove(workflow_id, said[0], target.value)
    return push_of_pairs(said)
