from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from etter_dagster.api.routing import DRAIN_BYTES, MAX_BODY_BYTES
from etter_dagster.model.documents import MAX_DOCUMENT_BYTES, MAX_DOCUMENTS
from etter_dagster.onboarding.batches import MAX_BATCH
from etter_dagster.settings import Settings
from etter_dagster_tests.rest import Rest, error, push_body, rest_of


async def test_a_body_over_10_mib_is_refused(rest: Rest) -> None:
    """What is far too large is not read to its end, and not at all if it says so beforehand."""
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield b" " * 1024 * 1024

    json_type = {"Content-Type": "application/json"}
    answer = await rest.http.post("/push", content=endless(), headers=json_type)
    error(answer, 413, "PAYLOAD_TOO_LARGE")
    assert read <= DRAIN_BYTES // 1024 // 1024 + 2
    read = 0
    announced = {**json_type, "Content-Length": str(1000 * 1024 * 1024)}
    answer = await rest.http.post("/push", content=endless(), headers=announced)
    error(answer, 413, "PAYLOAD_TOO_LARGE")
    assert read <= 1
    answer = await rest.http.post("/push", content=b" " * (MAX_BODY_BYTES + 1), headers=json_type)
    error(answer, 413, "PAYLOAD_TOO_LARGE")


async def test_a_body_of_10_mib_is_read(rest: Rest) -> None:
    """The limit itself is allowed; white space is JSON."""
    body = json.dumps(push_body()).encode()
    answer = await rest.http.post(
        "/push",
        content=body + b" " * (MAX_BODY_BYTES - len(body)),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200


async def test_a_batch_of_10_mib_is_taken(rest: Rest) -> None:
    """Four documents near their limit, and with them the body near its own."""
    text = "- Prepare reports\n" * (MAX_DOCUMENT_BYTES // 18 - 1)
    documents = [{"type": "job_description", "content": text}]
    roles = [push_body(f"R{n}", documents=documents) for n in range(4)]
    answer = await rest.http.post("/push-batch", json={"company_id": "Acme", "roles": roles})
    assert len(answer.json()["workflow_ids"]) == 4


async def test_a_document_over_2_mib_of_text_is_refused(rest: Rest) -> None:
    """Bytes count, not characters: 'é' has two."""
    text = "é" * (MAX_DOCUMENT_BYTES // 2)
    documents = [{"type": "job_description", "content": text + "x"}]
    answer = await rest.http.post("/push", json=push_body(documents=documents))
    assert "documents[0].content" in error(answer, 413, "PAYLOAD_TOO_LARGE")["message"]


async def test_more_than_20_documents_are_refused(rest: Rest) -> None:
    """The number, however small they are."""
    documents = [{"type": "sop", "content": "x"}] * (MAX_DOCUMENTS + 1)
    error(
        await rest.http.post("/push", json=push_body(documents=documents)), 413, "PAYLOAD_TOO_LARGE"
    )


async def test_more_than_10_000_roles_are_refused(rest: Rest) -> None:
    """As a whole, with nothing queued."""
    roles = [{"role_name": f"R{n}"} for n in range(MAX_BATCH + 1)]
    answer = await rest.http.post("/push-batch", json={"company_id": "Acme", "roles": roles})
    error(answer, 413, "PAYLOAD_TOO_LARGE")


async def test_a_full_queue_is_a_429_with_retry_after(settings: Settings) -> None:
    """`QUEUE_CAPACITY` bounds what waits."""
    async with rest_of(settings.with_changes(queue_capacity=1)) as rest:
        await rest.push("A")
        answer = await rest.http.post("/push", json=push_body("B"))
        assert error(answer, 429, "QUEUE_FULL")["recoverable"] is True
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", ""])
@pytest.mark.parametrize("path", ["/roles/Acme", "/history/Acme", "/pushes", "/audit"])
async def test_a_limit_out_of_bounds_is_a_422(rest: Rest, path: str, limit: str) -> None:
    """Every `limit` is 1 to 200."""
    detail = error(await rest.http.get(f"{path}?limit={limit}"), 422, "VALIDATION_ERROR")
    assert detail["fields"][0]["field"] == "limit"


@pytest.mark.parametrize("cursor", ["x", "é", "AAAA", "%00", "e30="])
@pytest.mark.parametrize("path", ["/roles/Acme", "/history/Acme", "/pushes", "/audit"])
async def test_a_cursor_that_is_not_ours_is_a_400(rest: Rest, path: str, cursor: str) -> None:
    """Never silently the first page again: a caller would loop for ever."""
    await rest.push()
    error(await rest.http.get(f"{path}?cursor={cursor}"), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_another_media_type_is_a_415_that_names_the_right_one(
    rest: Rest, media_type: str
) -> None:
    """What curl sends by itself is the commonest mistake."""
    for path, right in (("/push", "application/json"), ("/push-batch", "text/csv")):
        answer = await rest.http.post(path, content="{}", headers={"Content-Type": media_type})
        assert right in error(answer, 415, "UNSUPPORTED_MEDIA_TYPE")["message"]


async def test_a_wrong_method_is_a_405_that_names_the_right_ones(rest: Rest) -> None:
    """On each kind of path."""
    for path in ("/push", "/status/x", "/roles/Acme/Analyst"):
        answer = await rest.http.delete(path)
        error(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["Allow"]
