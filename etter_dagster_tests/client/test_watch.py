from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from etter_dagster.client import AsyncEtterClient, EtterClient
from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.model.lifecycle import WorkflowState

Answer = Callable[[httpx.Request], httpx.Response]
STEPS = {"current": 0, "total": 3, "steps": []}
STATUS: dict[str, Any] = {
    "workflow_id": "role-onboard-0123456789ab",
    "role_id": "cr-acme-analyst-0123456789ab",
    "company_id": "Acme",
    "role_name": "Analyst",
    "role_state": "queued",
    "current_step": None,
    "progress": STEPS,
    "queued_at": "2026-01-05T09:00:00Z",
    "started_at": None,
    "completed_at": None,
    "position_in_queue": None,
    "estimated_duration_seconds": 5,
    "dashboard_url": None,
    "attempts": 0,
    "error": None,
}


def event(number: int, status: str) -> str:
    data = json.dumps({**STATUS, "status": status})
    return f": a comment\n\nevent: status\ndata: {data}\nid: {number}\n\n"


class Script:
    """A service that answers as scripted, and notes where each stream was taken up."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.resumed: list[str | None] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/events"):
            return httpx.Response(200, json={**STATUS, "status": "ready"})
        self.resumed.append(request.headers.get("Last-Event-ID"))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self) -> EtterClient:
        return EtterClient(transport=httpx.MockTransport(self), sleep=self.pauses.append)

    def watch(self) -> list[str]:
        with self.client() as client:
            return [view.status.value for view in client.watch("role-onboard-0123456789ab")]


def stream(*events: str) -> httpx.Response:
    return httpx.Response(200, text="".join(events))


def refusal(code: ErrorCode) -> httpx.Response:
    return httpx.Response(code.http_status, json={"detail": EtterError(code, "no").body()})


def test_a_broken_stream_is_taken_up_where_it_broke() -> None:
    """A deploy in between shows as a pause, not as an error."""
    script = Script(
        stream(event(5, "queued")),
        httpx.ReadError("cut"),
        refusal(ErrorCode.STORE_UNAVAILABLE),
        stream(event(9, "processing"), event(12, "ready"), event(13, "failed")),
    )
    assert script.watch() == ["queued", "processing", "ready"]
    assert script.resumed == [None, "5", "5", "5"]
    assert script.pauses == sorted(script.pauses)


def test_an_event_that_is_cut_off_is_not_used() -> None:
    """Half a line of JSON is no status."""
    script = Script(stream(event(5, "queued"), event(6, "ready")[:-20]), stream(event(6, "ready")))
    assert script.watch() == ["queued", "ready"]
    assert script.resumed == [None, "5"]


def test_a_service_that_stays_away_is_an_error_that_names_no_address() -> None:
    """Five tries without an event, then the caller hears of it."""
    script = Script(*[httpx.ConnectError("http://secret:8090")] * 20)
    with pytest.raises(EtterError) as lost:
        script.watch()
    assert lost.value.code is ErrorCode.STORE_UNAVAILABLE
    assert "secret" not in lost.value.message
    assert 2 <= len(script.resumed) < 20


def test_a_stream_that_never_says_anything_is_given_up() -> None:
    """Otherwise a broken proxy would be asked for ever."""
    script = Script(*[stream()] * 50)
    with pytest.raises(EtterError):
        script.watch()
    assert len(script.resumed) < 50


def test_a_refusal_is_raised_at_once() -> None:
    """Trying again does not make an unknown id known."""
    script = Script(refusal(ErrorCode.NOT_FOUND))
    with pytest.raises(EtterError) as refused:
        script.watch()
    assert refused.value.code is ErrorCode.NOT_FOUND
    assert script.pauses == []


def test_waiting_gives_the_last_status_also_when_the_stream_had_ended() -> None:
    """204: the last event was seen before."""
    with Script(httpx.Response(204)).client() as client:
        assert client.wait("role-onboard-0123456789ab").status is WorkflowState.READY


async def test_the_asynchronous_client_resumes_as_well() -> None:
    """Its loop is written twice, so it is tested twice."""
    script = Script(stream(event(5, "queued")), httpx.ReadError("cut"), stream(event(6, "failed")))
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async with AsyncEtterClient(transport=httpx.MockTransport(script), sleep=sleep) as client:
        last = await client.wait("role-onboard-0123456789ab")
    assert last.status is WorkflowState.FAILED
    assert script.resumed == [None, "5", "5"]
    assert len(pauses) == 2
    lost = Script(*[httpx.ConnectError("x")] * 20)
    async with AsyncEtterClient(transport=httpx.MockTransport(lost), sleep=sleep) as client:
        with pytest.raises(EtterError):
            await client.wait("role-onboard-0123456789ab")
    silent = Script(*[stream()] * 50)
    async with AsyncEtterClient(transport=httpx.MockTransport(silent), sleep=sleep) as client:
        with pytest.raises(EtterError):
            await client.wait("role-onboard-0123456789ab")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, text="<html>bad gateway"),
        httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(500, json=[]),
        httpx.Response(400, json={"detail": {"error": "NEW_CODE", "message": "x"}}),
        httpx.Response(200, text="<html>a proxy's page"),
    ],
)
def test_an_answer_of_something_else_names_the_base_url(answer: httpx.Response) -> None:
    """A proxy, or another service at the port."""
    client = EtterClient(transport=httpx.MockTransport(lambda _: answer))
    with pytest.raises(EtterError) as refused:
        client.companies()
    assert refused.value.code is ErrorCode.INTERNAL_ERROR
    assert "base URL" in refused.value.message


def test_the_key_is_sent_and_never_shown() -> None:
    """As a bearer token, on each call."""
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("Authorization"))
        return refusal(ErrorCode.UNAUTHORIZED)

    client = EtterClient(api_key="etk_secret", transport=httpx.MockTransport(answer))
    with pytest.raises(EtterError) as refused:
        client.companies()
    assert seen == ["Bearer etk_secret"]
    assert "etk_secret" not in repr(client) + str(refused.value)


def test_another_prefix_is_used() -> None:
    """Where the router is mounted in somebody else's app."""
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return httpx.Response(200, json={"companies": [], "total_count": 0})

    transport = httpx.MockTransport(answer)
    EtterClient("http://host/", prefix="/elsewhere", transport=transport).companies()
    assert paths == ["/elsewhere/companies"]
