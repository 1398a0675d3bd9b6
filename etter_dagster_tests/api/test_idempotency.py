from __future__ import annotations

import asyncio
from typing import Any

import pytest

from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.settings import Settings
from etter_dagster_tests.rest import Rest, error, push_body, rest_of


def once(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def test_a_repeated_push_gets_the_first_answer(rest: Rest) -> None:
    """Byte for byte, though the role has an active push by now, or has ended."""
    body = push_body()
    first = await rest.http.post("/push", json=body, headers=once("k"))
    second = await rest.http.post("/push", json=body, headers=once("k"))
    assert second.content == first.content
    assert second.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    await rest.work()
    assert (await rest.http.post("/push", json=body, headers=once("k"))).content == first.content
    error(await rest.http.get("/assessments/unknown"), 404, "NOT_FOUND")
    assert rest.assessor.calls["Analyst"] == 1


async def test_another_request_with_the_key_is_a_conflict(rest: Rest) -> None:
    """Another body, another query, or another path: answering it with the first would be a lie."""
    await rest.http.post("/push", json=push_body(), headers=once("k"))
    for path, body in (
        ("/push", push_body("Other")),
        ("/push?use_mock=true", push_body()),
        ("/push-batch", push_body()),
    ):
        answer = await rest.http.post(path, json=body, headers=once("k"))
        error(answer, 409, "IDEMPOTENCY_CONFLICT")


async def test_a_refusal_is_not_stored(rest: Rest) -> None:
    """The caller mends what was wrong elsewhere and sends the same again."""
    body = {"company_id": "Acme", "role_name": "Analyst"}
    for _ in range(2):
        answer = await rest.http.post("/push", json=body, headers=once("k"))
        error(answer, 400, "VALIDATION_ERROR")
    mend = {key: push_body()[key] for key in ("documents", "draup_role_name")}
    await rest.http.put("/roles/Acme/Analyst", json=mend)
    answer = await rest.http.post("/push", json=body, headers=once("k"))
    assert answer.status_code == 200
    answer = await rest.http.post("/push", json={**body, "created_by": "x"}, headers=once("k"))
    error(answer, 409, "IDEMPOTENCY_CONFLICT")


async def test_a_bug_frees_the_key(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 500 must not answer the same request for a day."""
    services = await rest.services()
    enqueue = services.queue.enqueue

    async def broken(*args: Any, **more: Any) -> Any:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(services.queue, "enqueue", broken)
    answer = await rest.http.post("/push", json=push_body(), headers=once("k"))
    detail = error(answer, 500, "INTERNAL_ERROR")
    assert "secret" not in answer.text
    assert detail["trace_id"] in detail["message"]
    monkeypatch.setattr(services.queue, "enqueue", enqueue)
    answer = await rest.http.post("/push", json=push_body(), headers=once("k"))
    assert answer.status_code == 200


async def test_simultaneous_requests_with_one_key_get_the_one_answer(settings: Settings) -> None:
    """Over two processes' worth of services: what is shared is in the store only."""
    async with rest_of(settings) as one, rest_of(settings) as two:
        answers = await asyncio.gather(
            *(
                rest.http.post("/push", json=push_body(), headers=once("k"))
                for rest in (one, two) * 10
            )
        )
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 19
        assert (await one.http.get("/pushes")).json()["total_count"] == 1


async def test_simultaneous_batches_with_one_key_are_one_batch(rest: Rest) -> None:
    """The case of a client whose time ran out while a long batch was at work."""
    roles = [{**push_body(f"R{n}"), "company_id": "Acme"} for n in range(50)]
    body = {"company_id": "Acme", "roles": roles}
    answers = await asyncio.gather(
        *(rest.http.post("/push-batch", json=body, headers=once("b")) for _ in range(3))
    )
    assert len({answer.json()["batch_id"] for answer in answers}) == 1
    assert (await rest.http.get("/pushes")).json()["total_count"] == 50


async def test_every_post_takes_the_key(rest: Rest) -> None:
    """A repeated cancel, retry or operation answers as the first did, where it would be 409."""
    workflow_id = await rest.push()
    first = await rest.http.post(f"/cancel/{workflow_id}", headers=once("c"))
    again = await rest.http.post(f"/cancel/{workflow_id}", headers=once("c"))
    assert first.status_code == again.status_code == 200
    assert again.content == first.content
    await rest.push()
    body = {"company": "Acme"}
    begun = await rest.http.post("/pushes/cancel", json=body, headers=once("o"))
    same = await rest.http.post("/pushes/cancel", json=body, headers=once("o"))
    assert begun.json()["operation_id"] == same.json()["operation_id"]


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_has_1_to_255_characters(rest: Rest, key: str) -> None:
    """A key that is not taken must be refused, or the caller would rely on it."""
    answer = await rest.http.post("/push", json=push_body(), headers=once(key))
    detail = error(answer, 422, "VALIDATION_ERROR")
    assert detail["fields"][0]["field"] == "Idempotency-Key"
    assert (
        await rest.http.post("/push", json=push_body(), headers=once("x" * 255))
    ).status_code == 200


async def test_text_outside_ascii_comes_back_as_it_was(rest: Rest) -> None:
    """Stored answers are read and written again."""
    body = push_body("Müller’s 保险 🙂")
    first = await rest.http.post("/push", json=body, headers=once("k"))
    again = await rest.http.post("/push", json=body, headers=once("k"))
    assert "Müller’s 保险 🙂" in first.json()["message"]
    assert again.content == first.content


async def away_once(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph goes away between the queueing of a push and its answer, for one request."""
    graph = (await rest.services()).graph
    audit = graph.append_audit

    async def away(*_: Any) -> None:
        monkeypatch.setattr(graph, "append_audit", audit)
        raise StoreUnavailable("graph")

    monkeypatch.setattr(graph, "append_audit", away)


async def test_a_push_that_was_queued_before_its_answer_was_lost_is_found_again(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller did as told, and was then refused for the sake of his own push."""
    await away_once(rest, monkeypatch)
    error(
        await rest.http.post("/push", json=push_body(), headers=once("k")), 503, "STORE_UNAVAILABLE"
    )
    answer = await rest.http.post("/push", json=push_body(), headers=once("k"))
    assert (answer.status_code, answer.json()["status"]) == (200, "queued")
    assert answer.json()["position_in_queue"] == 1
    pushes = (await rest.http.get("/pushes")).json()["items"]
    assert [push["workflow_id"] for push in pushes] == [answer.json()["workflow_id"]]


async def test_it_is_found_as_it_stands_also_when_it_has_ended(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forced one would be paid for twice."""
    body = push_body(options={"force_rerun": True})
    await away_once(rest, monkeypatch)
    error(await rest.http.post("/push", json=body, headers=once("k")), 503, "STORE_UNAVAILABLE")
    await rest.work()
    answer = await rest.http.post("/push", json=body, headers=once("k"))
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert answer.json()["estimated_duration_seconds"] == 0
    await rest.work()
    assert rest.assessor.calls["Analyst"] == 1


async def test_a_batch_whose_answer_was_lost_is_the_same_batch_when_it_is_sent_again(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else all its roles are refused, and nobody ever learns the batch's id."""
    roles = [push_body(name) for name in ("One", "Two")] + [{"role_name": "Three"}]
    batch = {"company_id": "Acme", "roles": [{**r, "company_id": "Acme"} for r in roles]}
    await away_once(rest, monkeypatch)
    error(
        await rest.http.post("/push-batch", json=batch, headers=once("k")), 503, "STORE_UNAVAILABLE"
    )
    again = await rest.http.post("/push-batch", json=batch, headers=once("k"))
    assert again.status_code == 200, again.text
    assert [item["role_name"] for item in again.json()["rejected"]] == ["Three"]
    await rest.work()
    status = (await rest.http.get(f"/batch-status/{again.json()['batch_id']}")).json()
    assert (status["total"], status["completed"]) == (2, 2)
    pushes = (await rest.http.get("/pushes")).json()["items"]
    assert {push["batch_id"] for push in pushes} == {again.json()["batch_id"]}
    assert len(pushes) == 2


async def test_a_key_that_is_used_again_after_its_day_names_another_push(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever pushes each day by a script with one key: the second day's was in no history."""
    for module in ("etter_dagster.api.idempotency", "etter_dagster.onboarding.once"):
        monkeypatch.setattr(f"{module}.LIFETIME_SECONDS", 0.01)
    body = push_body(options={"force_rerun": True})
    batch = {"company_id": "Acme", "roles": [push_body()], "options": {"force_rerun": True}}
    days = []
    for _ in range(2):
        one = (await rest.http.post("/push", json=body, headers=once("k"))).json()
        await rest.work()
        many = (await rest.http.post("/push-batch", json=batch, headers=once("b"))).json()
        await rest.work()
        await asyncio.sleep(0.02)
        days.append([one["workflow_id"], *many["workflow_ids"], many["batch_id"]])
    assert not set(days[0]) & set(days[1])
    assert rest.assessor.calls["Analyst"] == 4
    history = (await rest.http.get("/history/Acme")).json()["items"]
    assert {item["workflow_id"] for item in history} == {*days[0][:2], *days[1][:2]}
