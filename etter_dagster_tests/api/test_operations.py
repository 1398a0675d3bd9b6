from __future__ import annotations

import asyncio
from typing import Any

import pytest

from etter_dagster.api.runtime import Opened
from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.onboarding import bulk
from etter_dagster.settings import Settings
from etter_dagster_tests.rest import Rest, error, push_body, rest_of


async def settled(rest: Rest, operation_id: str) -> dict[str, Any]:
    """The operation when it no longer runs."""
    while True:
        view: dict[str, Any] = (await rest.http.get(f"/operations/{operation_id}")).json()
        if view["state"] != "running":
            return view
        await asyncio.sleep(0.01)


async def failed(rest: Rest, *names: str, company: str = "Acme") -> list[str]:
    """Pushes that failed."""
    rest.assessor.script = [AssessmentFailed("no")] * len(names)
    ids = [await rest.push(name, company) for name in names]
    await rest.work()
    return ids


async def test_pushes_are_listed_by_filter_with_counts(rest: Rest) -> None:
    """Over the queue and the history, newest first; counts are of all that match."""
    (bad,) = await failed(rest, "Bad")
    good = (await rest.ready("Good"))["workflow_id"]
    waiting = await rest.push("Waiting", company="Other", created_by="ann")
    page = (await rest.http.get("/pushes")).json()
    assert [item["workflow_id"] for item in page["items"]] == [waiting, good, bad]
    assert page["total_count"] == 3
    assert page["by_state"] == {"queued": 1, "ready": 1, "failed": 1}
    assert page["by_error_code"] == {"ASSESSMENT_FAILED": 1}
    assert page["items"][0]["created_by"] == "ann"
    for query, expected in (
        ("company=Other", [waiting]),
        ("state=failed", [bad]),
        ("state=failed&state=queued", [waiting, bad]),
        ("error_code=ASSESSMENT_FAILED", [bad]),
        ("source=rest&limit=2", [waiting, good]),
        ("source=cli", []),
        ("q=oo", [good]),
        ("q=%25", []),
        ("q=_", []),
        ("q=%20go", [good]),
        ("since=1h", [waiting, good, bad]),
        ("until=1h", []),
        ("since=2999-01-01T00:00:00Z", []),
        ("batch_id=batch-0123456789ab", []),
    ):
        listed = (await rest.http.get(f"/pushes?{query}")).json()
        assert [item["workflow_id"] for item in listed["items"]] == expected, query


async def test_pages_of_pushes_make_the_whole_list(rest: Rest) -> None:
    """Also where pages cross from the queue into the history."""
    ids = [(await rest.ready(f"R{n}"))["workflow_id"] for n in range(3)]
    ids += [await rest.push(f"Q{n}") for n in range(2)]
    found: list[str] = []
    url = "/pushes?limit=2"
    cursor: str | None = ""
    while cursor is not None:
        page = (await rest.http.get(f"{url}&cursor={cursor}" if cursor else url)).json()
        assert page["total_count"] == 5
        found += [item["workflow_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert found == ids[::-1]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("state=gone", 422),
        ("source=fax", 422),
        ("colour=red", 422),
        ("since=yesterday", 400),
        ("since=99999999999999d", 400),
        ("until=2026-13-01T00:00:00Z", 400),
        ("since=999999w", 200),
        ("since=0001-01-01T00:00:00%2B23:00", 400),
        ("company=%00", 400),
        ("company=%ED%A0%80", 200),
        ("q=%00%27%22%3B--", 400),
        ("q=%27%22%3B--", 200),
        ("q=" + "x" * 5000, 200),
        ("batch_id=%00", 400),
        ("error_code=%F0%9F%98%80", 200),
    ],
)
async def test_a_wrong_filter_is_refused_and_a_hostile_one_finds_nothing(
    rest: Rest, query: str, status: int
) -> None:
    """Never a 500, and never the whole list for a filter that was not understood."""
    await rest.push()
    answer = await rest.http.get(f"/pushes?{query}")
    if status == 200:
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["items"]) == (query.startswith("since"))
    else:
        error(answer, status, "VALIDATION_ERROR")


async def test_a_dry_run_counts_and_changes_nothing(rest: Rest) -> None:
    """It has no operation id, since there is nothing to follow."""
    await failed(rest, "A", "B")
    answer = await rest.http.post("/pushes/retry", json={"state": "failed", "dry_run": True})
    assert answer.json() == {"operation_id": None, "matched": 2, "state": "dry_run"}
    assert (await rest.http.get("/pushes")).json()["total_count"] == 2


async def test_all_failed_pushes_are_retried(rest: Rest) -> None:
    """What cannot be retried is skipped with its reason; asking again retries nothing twice."""
    ids = await failed(rest, "A", "B")
    done = (await rest.ready("C"))["workflow_id"]
    begun = (await rest.http.post("/pushes/retry", json={})).json()
    assert begun["matched"] == 3
    assert begun["state"] == "running"
    view = await settled(rest, begun["operation_id"])
    assert view["state"] == "completed"
    assert (view["matched"], view["done"]) == (3, 2)
    assert [row["workflow_id"] for row in view["skipped"]] == [done]
    assert "ready" in view["skipped"][0]["reason"]
    assert view["created_by"] == "anonymous"
    assert view["created_at"].endswith("Z")
    await rest.work()
    counts = (await rest.http.get("/pushes")).json()["by_state"]
    assert counts == {"failed": 2, "ready": 3}
    again = (await rest.http.post("/pushes/retry", json={"state": ["failed"]})).json()
    view = await settled(rest, again["operation_id"])
    assert (view["done"], len(view["skipped"])) == (0, 2)
    assert {row["workflow_id"] for row in view["skipped"]} == set(ids)


async def test_a_retry_names_its_new_pushes_once_it_has_ended(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them nobody could follow what a filter has begun."""
    monkeypatch.setattr(bulk, "PAGE", 2)
    old = await failed(rest, "A", "B", "C")
    begun = (await rest.http.post("/pushes/retry", json={"state": ["failed"]})).json()
    new = (await settled(rest, begun["operation_id"]))["new_workflow_ids"]
    assert len(set(new)) == 3
    assert not set(new) & set(old)
    statuses = [(await rest.http.get(f"/status/{one}")).json() for one in new]
    assert sorted(status["role_name"] for status in statuses) == ["A", "B", "C"]
    cancelled = (await rest.http.post("/pushes/cancel", json={})).json()
    assert (await settled(rest, cancelled["operation_id"]))["new_workflow_ids"] == []


async def test_all_waiting_pushes_of_a_company_are_cancelled(rest: Rest) -> None:
    """Only those of the filter; the others wait on."""
    for name in "ABC":
        await rest.push(name)
    other = await rest.push("A", company="Other")
    begun = await rest.http.post("/pushes/cancel", json={"company": " Acme ", "since": "1h"})
    view = await settled(rest, begun.json()["operation_id"])
    assert (view["state"], view["done"], view["skipped"]) == ("completed", 3, [])
    assert (await rest.http.get(f"/status/{other}")).json()["position_in_queue"] == 1


async def test_an_operation_over_many_pages_reaches_every_push(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages are an inner matter: each push is done once."""
    monkeypatch.setattr(bulk, "PAGE", 3)
    for number in range(10):
        await rest.push(f"R{number}")
    begun = (await rest.http.post("/pushes/cancel", json={})).json()
    view = await settled(rest, begun["operation_id"])
    assert (view["done"], view["skipped"]) == (10, [])


async def test_an_operation_whose_process_died_is_carried_on_by_whoever_asks(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record is in the store; only a process that works is not."""
    monkeypatch.setattr(bulk, "PAGE", 2)
    async with rest_of(settings) as one:
        for number in range(6):
            await one.push(f"R{number}")
        with monkeypatch.context() as dying:
            dying.setattr(Opened, "spawn", lambda self, work: work.close())
            begun = (await one.http.post("/pushes/cancel", json={})).json()
    async with rest_of(settings) as two:
        view = await settled(two, begun["operation_id"])
        assert (view["state"], view["done"]) == ("completed", 6)


async def test_two_processes_never_do_one_page_twice(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both may work: a page is reserved in the store."""
    monkeypatch.setattr(bulk, "PAGE", 3)
    async with rest_of(settings) as one, rest_of(settings) as two:
        await failed(one, *(f"R{number}" for number in range(20)))
        begun = (await one.http.post("/pushes/retry", json={})).json()
        first, second = await asyncio.gather(
            settled(one, begun["operation_id"]), settled(two, begun["operation_id"])
        )
        assert first == second
        assert (first["done"], first["skipped"]) == (20, [])


async def test_an_aborted_operation_stops(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done stays done; aborting what has ended changes nothing."""
    for number in range(3):
        await rest.push(f"R{number}")
    with monkeypatch.context() as sleeping:
        sleeping.setattr(Opened, "spawn", lambda self, work: work.close())
        begun = (await rest.http.post("/pushes/cancel", json={})).json()
    url = f"/operations/{begun['operation_id']}"
    aborted = (await rest.http.post(f"{url}/abort")).json()
    assert (aborted["state"], aborted["done"]) == ("aborted", 0)
    assert (await rest.http.post(f"{url}/abort")).json() == aborted
    assert (await rest.http.get(url)).json() == aborted
    assert (await rest.http.get("/pushes")).json()["by_state"] == {"queued": 3}


async def test_an_operation_that_meets_nothing_is_completed_at_once(rest: Rest) -> None:
    """Nobody waits for it."""
    begun = (await rest.http.post("/pushes/retry", json={"company": "Nobody"})).json()
    assert (begun["matched"], begun["state"]) == (0, "completed")
    view = (await rest.http.get(f"/operations/{begun['operation_id']}")).json()
    assert view["state"] == "completed"


@pytest.mark.parametrize(
    "body", [{"limit": 5}, {"dry_run": "yes"}, {"state": 5}, {"state": []}, [], "x"]
)
async def test_a_filter_that_breaks_the_schema_is_a_422(rest: Rest, body: Any) -> None:
    """A misspelt field would otherwise mean every push there is."""
    for kind in ("retry", "cancel"):
        error(await rest.http.post(f"/pushes/{kind}", json=body), 422, "VALIDATION_ERROR")


async def test_operations_are_in_the_audit_log(rest: Rest) -> None:
    """With the filter that was given, and how many it met."""
    await rest.push()
    begun = (await rest.http.post("/pushes/cancel", json={"company": "Acme"})).json()
    await settled(rest, begun["operation_id"])
    entry = (await rest.http.get("/audit?limit=1")).json()["items"][0]
    assert entry["action"] == "cancel-many"
    assert entry["target"] == begun["operation_id"]
    assert entry["detail"] == {"matched": 1, "filter": {"company": "Acme"}}


async def test_a_bulk_retry_counts_for_its_batch(rest: Rest) -> None:
    """A batch shows the newest attempt of each role, whoever began it."""
    rest.assessor.script = [AssessmentFailed("no")] * 2
    roles = [push_body("A"), push_body("B")]
    batch = (
        await rest.http.post("/push-batch", json={"company_id": "Acme", "roles": roles})
    ).json()
    await rest.work()
    begun = await rest.http.post("/pushes/retry", json={"batch_id": batch["batch_id"]})
    await settled(rest, begun.json()["operation_id"])
    await rest.work()
    view = (await rest.http.get(f"/batch-status/{batch['batch_id']}")).json()
    assert (view["state"], view["completed"]) == ("completed", 2)
