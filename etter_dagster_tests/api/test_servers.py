"""The service as processes of their own: several workers, gunicorn, and in somebody else's app.

What one worker knows, the next must know too: each request here may meet another one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from etter_dagster.client import AsyncEtterClient
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.onboarding.services import Services
from etter_dagster.settings import Settings
from etter_dagster_tests.api.servers import WAYS, Server, running
from etter_dagster_tests.rest import error, push_body
from etter_dagster_tests.support import JD, scripted_services, work_off

pytestmark = pytest.mark.slow
DOCUMENT = DocumentRef(type=DocumentType.JOB_DESCRIPTION, content=JD)
NAME = 'R&D / "50%" Müller? 保险'


@pytest.fixture(scope="module", params=WAYS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    # Started once for all tests of a way, before the fixture that clears the environment.
    with running(WAYS[request.param], tmp_path_factory.mktemp(request.param)) as started:
        yield started


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncEtterClient]:
    async with AsyncEtterClient(server.url, prefix=server.prefix) as opened:
        yield opened


@pytest.fixture
async def worker(server: Server) -> AsyncIterator[Services]:
    """Services of this process over the server's stores: what a serving run would be."""
    settings = Settings(data_dir=server.log.parent, enable_mock_data=False, retry_backoff_seconds=0)
    services = scripted_services(settings)
    yield services
    await services.close()


def many(server: Server) -> httpx.AsyncClient:
    """A client that takes a new connection for each request, so any worker may get it."""
    return httpx.AsyncClient(
        base_url=server.url + server.prefix, headers={"Connection": "close"}, timeout=30
    )


async def test_a_push_is_followed_to_its_end(client: AsyncEtterClient, worker: Services) -> None:
    """Over a real connection: queue, stream, work by another process, result."""
    accepted = await client.push(NAME, NAME, documents=[DOCUMENT], draup_role_name="Data")
    states = []
    async for view in client.watch(accepted.workflow_id):
        states.append(view.status.value)
        if len(states) == 1:
            working = asyncio.create_task(work_off(worker))
    await working
    assert states[0] == "queued"
    assert states[-1] == "ready"
    assert (await client.roles(NAME)).roles[0].job_title == NAME
    assert (await client.history(NAME)).items[0].status.value == "ready"
    assert (await client.assessment(view.role_id)).scores.final_score == 40.0
    assert (await client.put_role(NAME, NAME, draup_role_name="Other")).draup_role == "Other"


async def test_every_worker_knows_what_another_did(server: Server) -> None:
    """Each push and each look takes a new connection."""
    async with many(server) as http:
        pushed = await asyncio.gather(
            *(http.post("/push", json=push_body(f"W{n}", "Workers")) for n in range(20))
        )
        ids = [answer.json()["workflow_id"] for answer in pushed]
        seen = await asyncio.gather(*(http.get(f"/status/{one}") for one in ids * 2))
        assert {answer.status_code for answer in seen} == {200}
        begun = (await http.post("/pushes/cancel", json={"company": "Workers"})).json()
        while (view := (await http.get(f"/operations/{begun['operation_id']}")).json())[
            "state"
        ] == "running":
            await asyncio.sleep(0.02)
        assert view["done"] == 20


async def test_simultaneous_requests_with_one_key_get_the_one_answer(server: Server) -> None:
    """Whichever workers they meet."""
    async with many(server) as http:
        answers = await asyncio.gather(
            *(
                http.post("/push", json=push_body("Once"), headers={"Idempotency-Key": "once"})
                for _ in range(16)
            )
        )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


async def test_errors_have_the_one_body(server: Server) -> None:
    """Also under another prefix, and for a body that is too large."""
    async with many(server) as http:
        error(await http.get("/status/role-onboard-0123456789ab"), 404, "NOT_FOUND")
        error(await http.delete("/push"), 405, "METHOD_NOT_ALLOWED")
        error(await http.post("/push", content="x"), 415, "UNSUPPORTED_MEDIA_TYPE")
        error(await http.post("/push", json={}), 422, "VALIDATION_ERROR")
        error(await http.post("/push", json=push_body(" ")), 400, "VALIDATION_ERROR")
        large = b'{"company_id": "' + b"x" * 11 * 1024 * 1024 + b'"}'
        answer = await http.post(
            "/push", content=large, headers={"Content-Type": "application/json"}
        )
        error(answer, 413, "PAYLOAD_TOO_LARGE")
        for path in ("/roles/%FF", "/roles/%00", "/history/%ED%A0%80"):
            assert (await http.get(path)).status_code == 200


@pytest.mark.parametrize("way", ["uvicorn", "gunicorn"])
async def test_metrics_count_the_requests_of_all_workers(way: str, tmp_path: Path) -> None:
    """With `PROMETHEUS_MULTIPROC_DIR`; without it each worker tells of itself alone."""
    with running(WAYS[way], tmp_path) as server:
        async with many(server) as http:
            await asyncio.gather(*(http.get("/companies") for _ in range(40)))
            text = (await http.get(f"{server.url}/metrics")).text
    count = 'etter_http_requests_total{method="GET",route="/companies",status="200"} 40.0'
    assert count in text.splitlines()


@pytest.mark.parametrize("way", WAYS)
async def test_the_service_ends_in_time_though_a_stream_is_open(way: str, tmp_path: Path) -> None:
    """A server waits for its responses; the stream of a waiting push ends when it must."""
    with running(WAYS[way], tmp_path) as server:
        async with AsyncEtterClient(server.url, prefix=server.prefix) as client:
            accepted = await client.push("A", "A", documents=[DOCUMENT], draup_role_name="D")
        url = f"{server.url}{server.prefix}/status/{accepted.workflow_id}/events"
        async with httpx.AsyncClient(timeout=60) as http, http.stream("GET", url) as response:
            lines = response.aiter_lines()
            assert await anext(lines) == "event: status"
            code = await asyncio.to_thread(server.stop)
            rest = [line async for line in lines]
        assert code in (0, -15), server.log.read_text()
        assert rest[-1] == ""
        assert "Traceback" not in server.log.read_text()
        await _group_ended(server.process.pid)


async def _group_ended(group: int) -> None:
    """Waits until no process of the group lives; the test's time limit ends a vain wait."""
    while any(_is_of(process, group) for process in psutil.process_iter()):
        await asyncio.sleep(0.05)


def _is_of(process: psutil.Process, group: int) -> bool:
    try:
        # A zombie has ended; who collects it is the machine's matter.
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False
