from __future__ import annotations

import asyncio
import threading

import pytest

from etter_dagster.api import runtime
from etter_dagster.model.errors import SourceUnavailable
from etter_dagster.settings import Settings
from etter_dagster_tests.rest import Rest, push_body, rest_of


async def test_a_taxonomy_that_hangs_holds_no_request_up(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its roles are listed when it answers; pushes with all they need go on meanwhile."""
    released = threading.Event()
    opened = runtime.Opened(await rest.services())
    asked = 0

    def hang() -> list[str]:
        nonlocal asked
        asked += 1
        released.wait(60)
        return []

    monkeypatch.setattr(runtime, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(opened.services.local_taxonomy, "get_companies", hang)
    for _ in range(5):
        await opened.prepare()
    prepared_too_soon = opened.prepared
    released.set()
    while not opened.prepared:
        await opened.prepare()
        await asyncio.sleep(0.001)
    assert (asked, prepared_too_soon) == (1, False)


async def test_a_taxonomy_that_fails_is_asked_again_but_not_at_each_request(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage must not be made worse, nor be remembered for ever."""
    opened = runtime.Opened(await rest.services())
    asked = 0

    def fail() -> list[str]:
        nonlocal asked
        asked += 1
        raise SourceUnavailable("away")

    monkeypatch.setattr(opened.services.local_taxonomy, "get_companies", fail)
    for _ in range(5):
        await opened.prepare()
    assert asked == 1
    monkeypatch.setattr(runtime, "PREPARE_AGAIN_SECONDS", 0.0)
    opened._prepare_at = 0.0
    monkeypatch.setattr(opened.services.local_taxonomy, "get_companies", list)
    await opened.prepare()
    while opened._preparing is not None:
        await asyncio.sleep(0.001)
    assert opened.prepared


async def test_a_service_can_be_closed_and_used_again(settings: Settings) -> None:
    """What was pushed is on disk; the next start finds it."""
    async with rest_of(settings) as first:
        workflow_id = await first.push()
        await first.runtime.close()
        assert (await first.http.get(f"/status/{workflow_id}")).status_code == 200
    async with rest_of(settings) as second:
        assert (await second.http.post("/push", json=push_body())).status_code == 409
