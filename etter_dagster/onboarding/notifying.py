"""Tells `NOTIFY_WEBHOOK_URL` of ended pushes: at least once each, with an event id to know it by.

What is to be told is written down before an ended push leaves the queue's outbox, whatever process
archives it (`archive.py`); any process may then tell it, and what could not be told is tried again.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from dataclasses import dataclass

import httpx

from etter_dagster.logs import logged
from etter_dagster.model.errors import EtterError, NotFound
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.notification import (
    MAX_ATTEMPTS,
    Notice,
    NoticeKind,
    batch_event,
    pause_after,
)
from etter_dagster.onboarding.batches import batch_status
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import status_of
from etter_dagster.stores.protocols import PushFilter

SIGNATURE, EVENT_ID = "X-Etter-Signature", "X-Etter-Event-Id"
TIMEOUT_SECONDS = 10.0
EVERY_SECONDS = 1.0
_LEASE_SECONDS = 60.0
_AT_ONCE = 20
_BATCH_SOON_SECONDS = 5.0
_ACTIVE = (WorkflowState.QUEUED, WorkflowState.PROCESSING)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Event:
    """What is sent."""

    id: str
    body: bytes


async def tell(services: Services, transport: httpx.AsyncBaseTransport | None = None) -> int:
    """Tells what is due.

    Args:
        services: Stores, and the webhook's address.
        transport: Instead of the network.

    Returns:
        How many were told.
    """
    if services.notices is None:
        return 0
    taken = await services.notices.take(_AT_ONCE, lease_seconds=_LEASE_SECONDS)
    if not taken:
        return 0
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, transport=transport) as http:
        told = await asyncio.gather(*(_tell(services, http, notice) for notice in taken))
    return sum(told)


async def tell_always(services: Services) -> None:
    """Tells what is due, again and again, till it is cancelled.

    Args:
        services: Where nobody is to be told, it ends at once.
    """
    while services.notices is not None:
        try:
            await tell(services)
        except EtterError as error:
            log.error("%s", error)
        await asyncio.sleep(EVERY_SECONDS)


async def _tell(services: Services, http: httpx.AsyncClient, notice: Notice) -> bool:
    notices = services.notices
    assert notices is not None
    with logged(event=notice.id):
        event = await _event(services, notice)
        if isinstance(event, float):
            await notices.later(notice.model_copy(update={"attempts": 0}), seconds=event)
            return False
        if event is None or event.id == notice.sent:
            await notices.done(notice, sent="")
            return False
        problem = await _post(services, http, event)
        if problem is None:
            await notices.done(notice, sent=event.id)
            return True
        attempts = notice.attempts + 1
        if attempts >= MAX_ATTEMPTS:
            log.error("given up after %d attempts: %s", attempts, problem)
            await notices.done(notice, sent=event.id)
        else:
            log.warning("not told (attempt %d): %s", attempts, problem)
            await notices.later(notice, seconds=pause_after(attempts))
        return False


async def _event(services: Services, notice: Notice) -> _Event | float | None:
    """What to send; None if there is nothing to tell (any more); seconds, if it is too early."""
    try:
        if notice.kind is NoticeKind.PUSH:
            status = await status_of(services, notice.id)
            return _Event(notice.id, status.model_dump_json().encode())
        # A batch ends with its last push, whose end asks anew.
        at_work = PushFilter(batch_id=notice.id, states=_ACTIVE)
        if (await services.queue.count_pushes(at_work)).total:
            return None
        batch = await batch_status(services, notice.id)
    except NotFound:
        # A batch is recorded when all its roles are queued; the first may have ended by then.
        early = notice.kind is NoticeKind.BATCH and notice.attempts < MAX_ATTEMPTS
        return _BATCH_SOON_SECONDS if early else None
    event_id = batch_event(notice.id, [role.workflow_id for role in batch.roles])
    return _Event(event_id, batch.model_dump_json().encode())


async def _post(services: Services, http: httpx.AsyncClient, event: _Event) -> str | None:
    """Sends; says what went wrong, without the address, which may hold a secret."""
    settings = services.settings
    assert settings.notify_webhook_url is not None
    headers = {"Content-Type": "application/json", EVENT_ID: event.id}
    if settings.notify_webhook_secret is not None:
        key = settings.notify_webhook_secret.get_secret_value().encode()
        headers[SIGNATURE] = "sha256=" + hmac.new(key, event.body, hashlib.sha256).hexdigest()
    try:
        answer = await http.post(
            settings.notify_webhook_url.get_secret_value(), content=event.body, headers=headers
        )
    except httpx.HTTPError as error:
        return type(error).__name__
    return None if answer.is_success else f"the receiver answered {answer.status_code}"
