from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.model.errors import StoreUnavailable, TransientError
from etter_dagster.settings import Settings
from etter_dagster_tests.rest import Rest, rest_of


async def scrape(rest: Rest) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = await rest.http.get("http://test/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_the_queue_is_shown_as_the_store_holds_it(rest: Rest) -> None:
    """Whichever process is scraped: these figures are not its own memory's."""
    rest.assessor.script = [AssessmentFailed("no")]
    await rest.push("A")
    await rest.work()
    await rest.push("B")
    await rest.http.post("/push-batch", json={"company_id": "Acme", "roles": []})
    found = await scrape(rest)
    assert found["etter_queue_depth", (("lane", "interactive"),)] == 1
    assert found["etter_queue_depth", (("lane", "bulk"),)] == 0
    assert found["etter_claimable", ()] == 1
    assert found["etter_in_flight", ()] == 0
    assert found["etter_pushes", (("state", "failed"),)] == 1
    assert found["etter_push_errors", (("code", "ASSESSMENT_FAILED"),)] == 1
    labels = (("method", "POST"), ("route", "/push"), ("status", "200"))
    assert found["etter_http_requests_total", labels] == 2


async def test_no_label_holds_a_name_or_an_id(rest: Rest) -> None:
    """Each value would be a series of its own, for ever."""
    workflow_id = await rest.push("Secret Role", company="Secret Company")
    await rest.http.get(f"/status/{workflow_id}")
    await rest.http.get("/roles/Secret%20Company")
    text = (await rest.http.get("http://test/metrics")).text
    assert "Secret" not in text
    assert workflow_id not in text
    assert "/status/{workflow_id}" in text


async def test_how_recent_pushes_went_is_shown(rest: Rest) -> None:
    """What the targets are about: time to the result, success, lost work."""
    for name in "ABC":
        await rest.ready(name)
    rest.assessor.script = [AssessmentFailed("no")]
    await rest.push("D")
    await rest.work()
    found = await scrape(rest)
    assert found["etter_recent_pushes", ()] == 4
    assert found["etter_recent_success_ratio", ()] == 0.75
    assert found["etter_recent_lost_leases", ()] == 0
    for quantile in ("0.5", "0.9", "0.99"):
        assert 0 < found["etter_recent_ready_seconds", (("quantile", quantile),)] < 300


async def test_a_store_that_is_away_is_shown_and_the_rest_goes_on(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scrape that fails as a whole would say nothing when it is needed most."""

    async def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("queue")

    await rest.push()
    services = await rest.services()
    for name in ("counts", "list_pushes", "ping"):
        monkeypatch.setattr(services.queue, name, away)
    found = await scrape(rest)
    assert found["etter_component_up", (("component", "queue"),)] == 0
    assert found["etter_component_up", (("component", "graph"),)] == 1
    assert found["etter_component_up", (("component", "dagster"),)] == 0
    # What could not be read is left out: zero would say that nothing was pushed.
    assert not {"etter_in_flight", "etter_recent_pushes", "etter_notifications_waiting"} & {
        name for name, _ in found
    }
    assert any(name == "etter_http_requests_total" for name, _ in found)


@pytest.mark.parametrize("name", ["queue", "graph"])
async def test_a_store_that_hangs_does_not_hold_up_a_scrape(
    rest: Rest, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A scraper gives up after some seconds, long before a store's own time limit."""

    async def hangs(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    services = await rest.services()
    monkeypatch.setattr(getattr(services, name), "ping", hangs)
    monkeypatch.setattr(services.queue, "list_pushes", hangs)
    found = await asyncio.wait_for(scrape(rest), 60)
    assert found["etter_component_up", (("component", name),)] == 0


async def test_repeated_steps_are_counted_by_step_and_rest_does_not_show_them(
    settings: Settings,
) -> None:
    """A service that fails for moments shows itself before pushes fail; queue and history alike."""
    async with rest_of(settings.with_changes(retry_backoff_seconds=0)) as rest:
        rest.assessor.script = [TransientError("503"), TransientError("503")]
        first = await rest.ready("A")
        await rest.ready("B")
        found = await scrape(rest)
        assert found["etter_recent_step_retries", (("step", "ai_assessment"),)] == 2
        assert found["etter_recent_step_retries", (("step", "role_setup"),)] == 0
        status = (await rest.http.get(f"/status/{first['workflow_id']}")).json()
        assert {key for step in status["progress"]["steps"] for key in step} == {
            *("name", "status", "duration_ms", "started_at", "completed_at", "error_message")
        }
