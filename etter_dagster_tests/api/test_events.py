from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from etter_dagster.api import events
from etter_dagster.api.events import StatusEvents, Watch, WatchHub
from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.onboarding.archive import archive, forget_old
from etter_dagster.onboarding.services import utc_now
from etter_dagster.settings import Settings
from etter_dagster.settings_keys import read_keys, write_keys
from etter_dagster_tests.keys import add_key
from etter_dagster_tests.rest import Rest, error, push_body, rest_of


def read(text: str) -> list[tuple[int, dict[str, Any]]]:
    """The events of a whole stream: id and data."""
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        assert fields["event"] == "status"
        found.append((int(fields["id"]), json.loads(fields["data"])))
    return found


async def stream(watch: Watch, after: int = -1) -> AsyncIterator[str]:
    """What a stream sends, piece by piece."""
    async for piece in StatusEvents(watch, contextlib.AsyncExitStack(), after).body_iterator:
        yield piece if isinstance(piece, str) else bytes(piece).decode()


@contextlib.asynccontextmanager
async def hub_of(rest: Rest) -> AsyncIterator[WatchHub]:
    hub = WatchHub(await rest.services())
    try:
        yield hub
    finally:
        await hub.close()


def all_watches(hub: WatchHub) -> list[Watch]:
    return [watch for watches in hub._watches.values() for watch in watches]


async def test_a_finished_push_gives_one_event_and_the_stream_ends(rest: Rest) -> None:
    """Its data is the body of the status; a failed push ends its stream too."""
    done = await rest.ready("A")
    rest.assessor.script = [AssessmentFailed("no")]
    failed = await rest.push("B")
    await rest.work()
    for workflow_id in (done["workflow_id"], failed):
        answer = await rest.http.get(f"/status/{workflow_id}/events")
        assert answer.headers["content-type"].startswith("text/event-stream")
        ((_, data),) = read(answer.text)
        assert data == (await rest.http.get(f"/status/{workflow_id}")).json()


async def test_a_push_that_only_the_history_knows_gives_its_event(rest: Rest) -> None:
    """Live detail is kept for a day; a link to the stream lives longer."""
    done = await rest.ready()
    services = await rest.services()
    await archive(services)
    services.clock = lambda: utc_now() + timedelta(days=3)
    await forget_old(services)
    assert await services.queue.get(done["workflow_id"]) is None
    ((_, data),) = read((await rest.http.get(f"/status/{done['workflow_id']}/events")).text)
    assert data["status"] == "ready"


async def test_a_client_that_had_the_last_event_is_told_to_stay_away(rest: Rest) -> None:
    """204 is the one answer that stops a browser from coming again and again."""
    done = await rest.ready()
    url = f"/status/{done['workflow_id']}/events"
    ((last, _),) = read((await rest.http.get(url)).text)
    assert (await rest.http.get(url, headers={"Last-Event-ID": str(last)})).status_code == 204
    for resumed in (str(last - 1), "0", "not-ours", "9" * 400, "-1"):
        answer = await rest.http.get(url, headers={"Last-Event-ID": resumed})
        assert [number for number, _ in read(answer.text)] == [last]


async def test_an_unknown_push_has_no_stream(rest: Rest) -> None:
    """A plain 404, and the watch leaves nothing behind."""
    error(
        await rest.http.get("/status/role-onboard-0123456789ab/events"),
        404,
        "NOT_FOUND",
    )


async def test_each_change_is_sent_in_order_with_rising_ids(rest: Rest) -> None:
    """From queued to ready, also for a client that comes again in between."""
    workflow_id = await rest.push()
    async with hub_of(rest) as hub, hub.watch(workflow_id) as watch:
        seen: list[tuple[int, dict[str, Any]]] = []
        async for piece in stream(watch):
            seen += read(piece)
            if len(seen) == 1:
                working = asyncio.create_task(rest.work())
        await working
    states = [data["status"] for _, data in seen]
    assert states[0] == "queued"
    assert states[-1] == "ready"
    assert sorted(states, key=["queued", "processing", "ready"].index) == states
    ids = [number for number, _ in seen]
    assert ids == sorted(set(ids))
    async with hub_of(rest) as hub, hub.watch(workflow_id) as again:
        resumed = [number async for piece in stream(again, ids[0]) for number, _ in read(piece)]
    assert len(resumed) == 1
    assert resumed[0] > ids[0]


async def test_a_quiet_stream_has_comments(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies cut what is silent; the contract says at least every 15 seconds."""
    assert events.COMMENT_SECONDS <= 15
    monkeypatch.setattr(events, "COMMENT_SECONDS", 0.01)
    workflow_id = await rest.push()
    async with hub_of(rest) as hub, hub.watch(workflow_id) as watch:
        pieces = stream(watch)
        assert read(await anext(pieces))[0][1]["status"] == "queued"
        assert (await anext(pieces)).startswith(":")


async def test_a_stream_ends_with_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was revoked must not go on looking for the hours that a push may take."""
    keys = tmp_path / "keys.json"
    add_key(keys, "other")
    kept = read_keys(keys)
    headers = add_key(keys, "acme", "Acme")
    monkeypatch.setattr(events, "COMMENT_SECONDS", 0.01)
    settings = Settings(
        data_dir=tmp_path, api_keys_file=keys, enable_mock_data=False, dagster_port=9
    )
    async with rest_of(settings) as rest:
        pushed = await rest.http.post("/push", json=push_body(), headers=headers)
        path = f"/status/{pushed.json()['workflow_id']}/events"
        streaming = asyncio.create_task(rest.http.get(path, headers=headers))
        hub = (await rest.runtime.opened()).hub
        while not any(watch.version >= 0 for watch in all_watches(hub)):
            await asyncio.sleep(0.01)
        assert not streaming.done()
        write_keys(keys, kept)
        answer = await asyncio.wait_for(streaming, 60)
        assert '"status":"queued"' in answer.text
        assert list(all_watches(hub)) == []


async def test_places_and_estimates_are_sent_rarely_and_states_at_once(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand waiting streams must not all be written to at each start of a push."""
    first, second = await rest.push("A"), await rest.push("B")
    monkeypatch.setattr(events, "ESTIMATE_SECONDS", 3600.0)
    async with hub_of(rest) as hub, hub.watch(first) as one, hub.watch(second) as two:
        one.changed.clear()
        await rest.http.post(f"/cancel/{first}")
        await one.changed.wait()
        assert one.view is not None
        assert one.view.status is WorkflowState.CANCELLED
        assert two.view is not None
        assert two.view.position_in_queue == 2
    monkeypatch.setattr(events, "ESTIMATE_SECONDS", 0.01)
    third = await rest.push("C")
    async with hub_of(rest) as hub, hub.watch(third) as three:
        three.changed.clear()
        await rest.http.post(f"/cancel/{second}")
        await three.changed.wait()
        assert three.view is not None
        assert three.view.position_in_queue == 1


async def test_streams_end_when_the_service_stops(rest: Rest) -> None:
    """A server waits for its responses: a stream of a waiting push would hold it for ever."""
    workflow_id = await rest.push()
    async with hub_of(rest) as hub, hub.watch(workflow_id) as watch:
        pieces = stream(watch)
        await anext(pieces)
        hub.end()
        assert [piece async for piece in pieces] == []
        async with hub.watch(workflow_id) as late:
            assert [piece async for piece in stream(late)] == []


async def test_a_store_that_fails_for_a_while_does_not_end_a_stream(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happened meanwhile is sent when the store is back."""
    monkeypatch.setattr(events, "_AFTER_FAILURE_SECONDS", 0.01)
    workflow_id = await rest.push()
    services = await rest.services()
    wait_changed, failures = services.queue.wait_changed, 3

    async def failing(since: int, timeout: float) -> int:
        nonlocal failures
        if failures:
            failures -= 1
            raise RuntimeError("lost")
        return await wait_changed(since, timeout)

    monkeypatch.setattr(services.queue, "wait_changed", failing)
    async with hub_of(rest) as hub, hub.watch(workflow_id) as watch:
        watch.changed.clear()
        await rest.http.post(f"/cancel/{workflow_id}")
        await watch.changed.wait()
        assert watch.view is not None
        assert watch.view.status is WorkflowState.CANCELLED
    assert failures == 0
