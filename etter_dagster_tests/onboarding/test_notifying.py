"""The webhook: what it hears, when, how it is signed, and that nothing is lost or told twice."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.notification import MAX_ATTEMPTS, pause_after
from etter_dagster.model.push import Source, WorkflowOptions
from etter_dagster.onboarding import archive as archiving
from etter_dagster.onboarding.accept import accept, cancel
from etter_dagster.onboarding.batches import BatchEntry, push_batch, retry_failed
from etter_dagster.onboarding.notifying import EVENT_ID, SIGNATURE, tell
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import status_of
from etter_dagster.onboarding.walk import walk
from etter_dagster.settings import Settings
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.rest import rest_of
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.support import (
    Recorder,
    ScriptedAssessor,
    order,
    scripted_services,
    work_off,
)

SECRET, ADDRESS = "webhook-secret", "https://hooks.example/secret-path"


@dataclass
class Receiver:
    """A receiver that checks each signature and answers as it is told."""

    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: list[int | Exception] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        mac = hmac.new(SECRET.encode(), request.content, hashlib.sha256).hexdigest()
        assert request.headers[SIGNATURE] == f"sha256={mac}"
        assert request.headers["Content-Type"] == "application/json"
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        if answer < 300:
            self.heard.append((request.headers[EVENT_ID], json.loads(request.content)))
        return httpx.Response(answer)


@pytest.fixture
def assessor() -> ScriptedAssessor:
    return ScriptedAssessor()


@pytest.fixture
async def services(
    settings: Settings, clock: Clock, assessor: ScriptedAssessor
) -> AsyncIterator[Services]:
    told = settings.with_changes(
        notify_webhook_url=SecretStr(ADDRESS), notify_webhook_secret=SecretStr(SECRET)
    )
    opened = scripted_services(told, assessor, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture(autouse=True)
def _not_by_the_serving_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests say themselves when it is told."""

    async def nothing(_: Services) -> None:
        pass

    monkeypatch.setattr("etter_dagster.onboarding.serving.tell_always", nothing)


async def told(services: Services, receiver: Receiver) -> int:
    return await tell(services, httpx.MockTransport(receiver))


async def test_an_ended_push_is_told_once_with_its_status(
    services: Services, receiver: Receiver
) -> None:
    """The body is that of GET /status; the event id is the same at each attempt."""
    accepted = await accept(services, order())
    assert await told(services, receiver) == 0
    await work_off(services)
    assert await told(services, receiver) == 1
    assert await told(services, receiver) == 0
    status = await status_of(services, accepted.workflow_id)
    assert receiver.heard == [(accepted.workflow_id, status.model_dump(mode="json"))]
    assert status.status is WorkflowState.READY


async def test_failed_and_cancelled_pushes_are_ends_too(
    services: Services, receiver: Receiver, assessor: ScriptedAssessor
) -> None:
    """Whoever waits for the call must not wait for ever."""
    cancelled = await accept(services, order("A"))
    await cancel(services, cancelled.workflow_id)
    assessor.script = [AssessmentFailed("no")]
    await accept(services, order("B"))
    await work_off(services)
    await told(services, receiver)
    assert {body["status"] for _, body in receiver.heard} == {"cancelled", "failed"}


async def test_who_does_not_want_to_hear_hears_nothing(
    services: Services, receiver: Receiver
) -> None:
    options = WorkflowOptions(notify_on_complete=False)
    await accept(services, order(options=options))
    await work_off(services)
    assert await told(services, receiver) == 0


async def test_a_batch_is_one_digest_when_its_last_role_has_ended(
    services: Services, receiver: Receiver, assessor: ScriptedAssessor
) -> None:
    """Not one call a role; and another one when what failed was retried."""
    assessor.script = [AssessmentFailed("no")]
    entries = [BatchEntry(name, order(name)) for name in "ABC"]
    batch = await push_batch(services, entries, company_id="Acme")
    (first, *_) = batch.workflow_ids
    claims = await services.queue.claim("w", 1, limits=services.limits, lease_seconds=30)
    assert claims[0].push.workflow_id == first
    await services.queue.give_back(first, claims[0].token)
    await work_off(services)
    await told(services, receiver)
    ((event, body),) = receiver.heard
    assert event.startswith(batch.batch_id)
    assert (body["state"], body["total"], body["failed"]) == ("partial", 3, 1)
    await retry_failed(services, batch.batch_id, source=Source.BATCH)
    assert await told(services, receiver) == 0
    await work_off(services)
    await told(services, receiver)
    assert [body["state"] for _, body in receiver.heard] == ["partial", "completed"]
    assert len({event for event, _ in receiver.heard}) == 2


async def test_what_does_not_get_through_is_tried_again(
    services: Services, receiver: Receiver, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """With longer and longer pauses; the log says what came back and never the address."""
    accepted = await accept(services, order())
    await work_off(services)
    receiver.answers = [500, httpx.ConnectError("refused by https://hooks.example"), 301, 404]
    with caplog.at_level(logging.WARNING):
        for attempt in range(1, 5):
            assert await told(services, receiver) == 0
            clock.tick(pause_after(attempt) - 1)
            assert await told(services, receiver) == 0
            clock.tick(2)
    assert await told(services, receiver) == 1
    assert [event for event, _ in receiver.heard] == [accepted.workflow_id]
    assert "500" in caplog.text
    assert "hooks.example" not in caplog.text
    assert SECRET not in caplog.text


async def test_a_receiver_that_is_gone_is_given_up_at_last(
    services: Services, receiver: Receiver, clock: Clock
) -> None:
    """After about two days; later ends are told all the same."""
    await accept(services, order())
    await work_off(services)
    receiver.answers = [503] * MAX_ATTEMPTS
    started = clock.now
    for attempt in range(1, MAX_ATTEMPTS + 1):
        await told(services, receiver)
        clock.tick(pause_after(attempt))
    assert 1 <= (clock.now - started).total_seconds() / 86_400 <= 4
    assert receiver.answers == []
    assert await told(services, receiver) == 0
    assert services.notices is not None
    assert await services.notices.waiting() == 0


async def test_a_crash_while_archiving_loses_and_doubles_nothing(
    services: Services, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is to be told is on disk before the push leaves the outbox."""
    accepted = await accept(services, order())

    class Crash(Exception):
        pass

    async def crash(_: Any) -> None:
        raise Crash

    claims = await services.queue.claim("w", 1, limits=services.limits, lease_seconds=30)
    await walk(services, claims[0], Recorder())
    with monkeypatch.context() as patch:
        patch.setattr(services.queue, "archived", crash)
        with pytest.raises(Crash):
            await archiving.archive(services)
    other = replace(services)
    assert await told(other, receiver) == 1
    await archiving.archive(services)
    assert await told(services, receiver) == 0
    assert [event for event, _ in receiver.heard] == [accepted.workflow_id]


async def test_a_running_service_tells_by_itself(settings: Settings, receiver: Receiver) -> None:
    """Over the network, without anybody asking."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        headers = dict(request.headers)
        asked = httpx.Request("POST", ADDRESS, content=await request.body(), headers=headers)
        await Response(status_code=receiver(asked).status_code)(scope, receive, send)

    with serving(app) as url:
        told = settings.with_changes(
            notify_webhook_url=SecretStr(f"{url}/hook"),
            notify_webhook_secret=SecretStr(SECRET),
            dagster_port=9,
        )
        async with rest_of(told) as rest:
            status = await rest.ready()
            deadline = time.monotonic() + 60
            while not receiver.heard and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
    assert receiver.heard == [(status["workflow_id"], status)]
