"""Orders handed in by a caller who gets no answer, only a record per order to look up.

The workflow ids follow from the caller's key and the order's index, so the caller knows them
beforehand. Each id has a push in the end: a queued one, or a terminal record that says why not
(`refusals.py`).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.errors import ErrorCode, EtterError, FieldProblem, ValidationFailed
from etter_dagster.model.identity import derived_workflow_id
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push, Source, WorkflowOptions
from etter_dagster.onboarding.accept import Accepted, accept, accept_many
from etter_dagster.onboarding.batches import check_batch_size
from etter_dagster.onboarding.check import PushOrder
from etter_dagster.onboarding.once import LIFETIME_SECONDS
from etter_dagster.onboarding.refusals import (
    ready_record,
    record_name,
    record_role_id,
    refused_record,
)
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import find_pushes
from etter_dagster.stores.protocols import AuditEntry, StoredAnswer

MAX_KEY = 255
_ASK_AGAIN_SECONDS = 0.1
_WAIT_SECONDS = 90.0  # longer than a dead process's reservation lasts


class _Item(BaseModel):
    """One push as the caller writes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    company_id: str
    role_name: str
    documents: tuple[DocumentRef, ...] = ()
    draup_role_id: str | None = None
    draup_role_name: str | None = None
    options: WorkflowOptions = WorkflowOptions()
    created_by: str | None = None


async def hand_in(
    services: Services, items: Sequence[Mapping[str, Any]], *, key_id: str, key: str
) -> list[Push]:
    """Queues what may be queued and records what became of the rest; safe to repeat.

    Args:
        services: Stores and sources.
        items: The pushes as the caller wrote them; a bad one never blocks a good one.
        key_id: The API key that asks.
        key: The caller's idempotency key.

    Returns:
        The push of each item, in their order.

    Raises:
        EtterError: `IDEMPOTENCY_CONFLICT`: the key came with other pushes; `VALIDATION_ERROR`,
            `PAYLOAD_TOO_LARGE`: nothing was queued.
    """
    check_batch_size(len(items), "pushes")
    if not 1 <= len(key) <= MAX_KEY:
        raise ValidationFailed(
            FieldProblem("idempotency_key", f"has {len(key)} characters; give 1 to {MAX_KEY}")
        )
    ids = [derived_workflow_id(key_id, key, str(index)) for index in range(len(items))]
    scope = f"push_roles:{key_id}"
    if await _reserved(services, scope, key, _hash(items)):
        try:
            await _hand_in(services, items, ids, key_id)
        except BaseException:
            await services.queue.release_key(scope, key)
            raise
        await services.queue.store_answer(scope, key, StoredAnswer(status=200, body=None))
    pushes = await find_pushes(services, ids)
    return [pushes[workflow_id] for workflow_id in ids]


async def _hand_in(
    services: Services, items: Sequence[Mapping[str, Any]], ids: Sequence[str], key_id: str
) -> None:
    """Does what an earlier attempt, that died on the way, has not done yet."""
    known = await find_pushes(services, ids)
    for item, workflow_id in zip(items, ids, strict=True):
        if workflow_id in known and known[workflow_id].role_id != record_role_id(item):
            raise _conflict()
    new = [index for index, workflow_id in enumerate(ids) if workflow_id not in known]
    orders = {index: _order(index, items[index], ids[index]) for index in new}
    answers = await _accept(services, orders, single=len(items) == 1)
    ready = await find_pushes(
        services, [a.workflow_id for a in answers.values() if isinstance(a, Accepted)]
    )
    records = []
    for index, answer in answers.items():
        if isinstance(answer, EtterError):
            records.append(refused_record(services, items[index], ids[index], answer))
        elif answer.status is WorkflowState.READY:
            records.append(
                ready_record(services, items[index], ids[index], ready.get(answer.workflow_id))
            )
    await services.graph.append_history(records)
    await _audit(services, items, answers, key_id)


async def _accept(
    services: Services, orders: Mapping[int, PushOrder | EtterError], *, single: bool
) -> dict[int, Accepted | EtterError]:
    answers: dict[int, Accepted | EtterError] = {
        index: order for index, order in orders.items() if isinstance(order, EtterError)
    }
    good = {index: order for index, order in orders.items() if isinstance(order, PushOrder)}
    if single and good:
        ((index, order),) = good.items()
        try:
            answers[index] = await accept(services, order)  # may ask the sources
        except EtterError as error:
            answers[index] = error
    elif good:
        answers |= dict(zip(good, await accept_many(services, list(good.values())), strict=True))
    return answers


def _order(index: int, item: Mapping[str, Any], workflow_id: str) -> PushOrder | EtterError:
    try:
        read = _Item.model_validate(item)
    except ValidationError as error:
        return ValidationFailed(
            *(
                FieldProblem(f"pushes[{index}].{'.'.join(map(str, p['loc']))}", p["msg"])
                for p in error.errors(include_input=False, include_url=False)
            )
        )
    return PushOrder(
        company_id=read.company_id,
        role_name=read.role_name,
        documents=read.documents,
        draup_role_id=read.draup_role_id,
        draup_role_name=read.draup_role_name,
        options=read.options,
        source=Source.GRAPHQL,
        created_by=read.created_by,
        workflow_id=workflow_id,
    )


async def _audit(
    services: Services,
    items: Sequence[Mapping[str, Any]],
    answers: Mapping[int, Accepted | EtterError],
    key_id: str,
) -> None:
    sent: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for index, answer in answers.items():
        company = record_name(items[index], "company_id")
        sent[company] += 1
        refused[company] += isinstance(answer, EtterError)
    entries = [
        AuditEntry(
            at=services.clock(),
            actor=key_id,
            action="push_roles",
            company_id=company,
            target=company,
            detail={"pushes": count, "refused": refused[company]},
        )
        for company, count in sent.items()
    ]
    if entries:
        await services.graph.append_audit(entries)


async def _reserved(services: Services, scope: str, key: str, asked: str) -> bool:
    """Whether this is the first with the key; False: the first one has done it all."""
    give_up = time.monotonic() + _WAIT_SECONDS
    while True:
        found = await services.queue.reserve_key(scope, key, asked, ttl_seconds=LIFETIME_SECONDS)
        if found.conflict:
            raise _conflict()
        if found.fresh or found.answer is not None:
            return found.fresh
        if time.monotonic() > give_up:
            raise EtterError(
                ErrorCode.IDEMPOTENCY_CONFLICT,
                "idempotency_key: the first run with it is still at work; launch again later",
                recoverable=True,
            )
        await asyncio.sleep(_ASK_AGAIN_SECONDS)


def _hash(items: Sequence[Mapping[str, Any]]) -> str:
    text = json.dumps(list(items), sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _conflict() -> EtterError:
    return EtterError(
        ErrorCode.IDEMPOTENCY_CONFLICT,
        "idempotency_key: was used for other pushes; take a new one",
    )
