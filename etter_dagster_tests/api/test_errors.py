from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from etter_dagster.api.errors import MAX_PROBLEMS
from etter_dagster.model.errors import ErrorCode, SourceUnavailable, StoreUnavailable
from etter_dagster.settings import Settings
from etter_dagster_tests.rest import Rest, error, push_body, rest_of


async def test_an_outage_of_a_source_is_never_a_missing_document(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with `Retry-After`, and nothing is queued: the caller must not go and write a JD."""

    def away(*_: Any) -> None:
        raise SourceUnavailable("the documents cannot be read; try again")

    services = await rest.services()
    monkeypatch.setattr(services.document_source, "has_document", away)
    body = {"company_id": "Acme", "role_name": "A", "draup_role_name": "Data"}
    answer = await rest.http.post("/push", json=body)
    assert error(answer, 503, "SOURCE_UNAVAILABLE")["recoverable"] is True
    assert int(answer.headers["Retry-After"]) > 0
    assert (await rest.http.get("/pushes")).json()["total_count"] == 0
    assert (await rest.http.post("/push", json=push_body("B"))).status_code == 200


async def test_a_batch_asks_no_source(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand roles would be ten thousand calls; the catalogue knows what there is."""
    asked: list[Any] = []
    services = await rest.services()
    monkeypatch.setattr(services.document_source, "has_document", lambda *of: asked.append(of))
    body = {"company_id": "Acme", "role_name": "A", "draup_role_name": "Data"}
    answer = await rest.http.post("/push-batch", json={"company_id": "Acme", "roles": [body]})
    assert "none is known yet" in error(answer, 400, "VALIDATION_ERROR")["message"]
    assert not asked
    await rest.http.post("/push", json=body)
    assert len(asked) == 1


async def test_a_store_that_is_away_is_a_503_on_every_route(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recoverable, with `Retry-After`, never an empty list and never a 404.

    But `/metrics`, which says itself what is away: see `test_metrics`.
    """

    async def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("queue")

    services = await rest.services()
    for name in ("enqueue", "get_many", "list_pushes", "batch", "operation", "active", "counts"):
        monkeypatch.setattr(services.queue, name, away)
    for method, path in (
        ("POST", "/push"),
        ("GET", "/status/role-onboard-0123456789ab"),
        ("GET", "/status/role-onboard-0123456789ab/events"),
        ("GET", "/history/Acme"),
        ("GET", "/pushes"),
        ("GET", "/batch-status/batch-0123456789ab"),
        ("GET", "/operations/operation-0123456789ab"),
        ("POST", "/retry/role-onboard-0123456789ab"),
    ):
        body = push_body() if path == "/push" else None
        answer = await rest.http.request(method, path, json=body)
        assert error(answer, 503, "STORE_UNAVAILABLE")["recoverable"] is True, path
        assert int(answer.headers["Retry-After"]) > 0
    # Metrics are what tells an operator of it: the queue's are left out, no zero stands for them.
    metrics = await rest.http.get("http://test/metrics")
    assert metrics.status_code == 200
    assert "etter_component_up" in metrics.text
    assert "etter_queue_depth" not in metrics.text


async def test_of_simultaneous_pushes_of_a_role_one_is_taken(settings: Settings) -> None:
    """The others are told which: also over two processes' worth of services."""
    async with rest_of(settings) as one, rest_of(settings) as two:
        answers = await asyncio.gather(
            *(rest.http.post("/push", json=push_body()) for rest in (one, two) * 8)
        )
        taken = [answer.json() for answer in answers if answer.status_code == 200]
        assert len(taken) == 1
        for answer in answers:
            if answer.status_code != 200:
                detail = error(answer, 409, "ALREADY_PROCESSING")
                assert detail["workflow_id"] == taken[0]["workflow_id"]
                assert detail["workflow_id"] in detail["message"]


async def test_without_a_valid_key_every_route_but_health_is_a_401(
    settings: Settings, tmp_path: Path
) -> None:
    """Before anything is said about paths' ids, parameters or bodies."""
    keys = tmp_path / "keys.json"
    keys.write_text("[]")
    async with rest_of(settings.with_changes(api_keys_file=keys)) as rest:
        for method, path in (
            ("POST", "/push"),
            ("GET", "/companies"),
            ("GET", "/status/x"),
            ("GET", "/pushes?nonsense=1"),
            ("GET", "/audit"),
            ("GET", "http://test/metrics"),
        ):
            answer = await rest.http.request(method, path)
            error(answer, 401, "UNAUTHORIZED")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert (await rest.http.get("/health")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://evil.example", "Host": "0.0.0.0:8090"},
        {"Origin": "null"},
    ],
)
async def test_pages_of_other_sites_cannot_act_for_the_person_here(
    rest: Rest, headers: dict[str, str]
) -> None:
    """Without keys the browser of whoever runs Etter would be the key.

    To an address that a browser does not trust, it says less of where a request comes from.
    """
    answer = await rest.http.post("/push", json=push_body(), headers=headers)
    error(answer, 403, "FORBIDDEN")


async def test_an_answer_names_a_few_of_what_a_hostile_body_holds(rest: Rest) -> None:
    """Naming each of 700,000 unknown fields made 74 MB of answer out of 10 MB."""
    body = push_body() | {f"field{number}": 1 for number in range(5000)}
    answer = await rest.http.post("/push", json=body)
    assert len(error(answer, 422, "VALIDATION_ERROR")["fields"]) == MAX_PROBLEMS
    assert len(answer.content) < 10_000


async def test_a_bug_tells_a_trace_id_and_no_stack(
    rest: Rest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the stack under the same id."""

    async def broken(*_: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr((await rest.services()).graph, "companies", broken)
    with caplog.at_level(logging.ERROR):
        answer = await rest.http.get("/companies")
    detail = error(answer, 500, "INTERNAL_ERROR")
    assert detail["recoverable"] is False
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text
    assert detail["trace_id"] in caplog.text
    assert "hunter2" in caplog.text


async def test_paths_outside_the_prefix_have_the_one_body_too(rest: Rest) -> None:
    """404 and 405 of the whole server."""
    error(await rest.http.get("http://test/nothing"), 404, "NOT_FOUND")
    error(await rest.http.post("http://test/metrics"), 405, "METHOD_NOT_ALLOWED")
    error(await rest.http.post("http://test/openapi.json"), 405, "METHOD_NOT_ALLOWED")


def test_the_code_decides_the_status() -> None:
    """The contract's table, row by row."""
    table = {
        400: "VALIDATION_ERROR",
        401: "UNAUTHORIZED",
        403: "FORBIDDEN",
        404: "NOT_FOUND",
        405: "METHOD_NOT_ALLOWED",
        409: "ALREADY_PROCESSING NOT_RETRYABLE NOT_CANCELLABLE IDEMPOTENCY_CONFLICT",
        413: "PAYLOAD_TOO_LARGE",
        415: "UNSUPPORTED_MEDIA_TYPE",
        429: "QUEUE_FULL RATE_LIMITED BUDGET_EXCEEDED",
        500: "INTERNAL_ERROR",
        503: "STORE_UNAVAILABLE SOURCE_UNAVAILABLE",
    }
    for status, codes in table.items():
        for code in codes.split():
            assert ErrorCode(code).http_status == status


async def test_starlettes_test_client_is_no_stranger(settings: Settings) -> None:
    """Whoever mounts the router tests it so; a stranger on the network has an address."""
    async with rest_of(settings, client="testclient") as rest:
        assert (await rest.http.get("/companies")).status_code == 200
    async with rest_of(settings, client="203.0.113.5") as rest:
        error(await rest.http.get("/companies"), 403, "FORBIDDEN")
