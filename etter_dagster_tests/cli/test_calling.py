"""How commands ask the service: patience with a busy one, remedies for people."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from etter_dagster.cli.calling import Service
from etter_dagster.client import calls
from etter_dagster.model.errors import ErrorCode, EtterError


def refusal(code: str, status: int, retry_after: str | None) -> httpx.Response:
    detail = {"error": code, "message": "later", "recoverable": True}
    headers = {"Retry-After": retry_after} if retry_after else {}
    return httpx.Response(status, json={"detail": detail}, headers=headers)


def service(answer: Callable[[httpx.Request], httpx.Response]) -> tuple[Service, list[float]]:
    pauses: list[float] = []
    transport = httpx.MockTransport(answer)
    return Service("http://test", transport=transport, sleep=pauses.append), pauses


def test_a_busy_service_is_asked_again_after_the_pause_that_it_names() -> None:
    """Of 10,000 roles in portions, the second one must not fail for a rate limit."""
    answers = [refusal("RATE_LIMITED", 429, "7"), refusal("STORE_UNAVAILABLE", 503, "900")]
    fine = httpx.Response(200, json={"companies": ["Acme"], "total_count": 1})
    asked, pauses = service(lambda _: answers.pop(0) if answers else fine)
    assert asked.send_patiently(calls.companies()).companies == ("Acme",)
    assert pauses == [7, 60]


def test_patience_ends_and_keeps_the_code() -> None:
    asked, pauses = service(lambda _: refusal("RATE_LIMITED", 429, "1"))
    with pytest.raises(EtterError) as caught:
        asked.send_patiently(calls.companies())
    assert caught.value.code is ErrorCode.RATE_LIMITED
    assert len(pauses) == 4


@pytest.mark.parametrize(
    "answer",
    [refusal("QUEUE_FULL", 429, "30"), refusal("RATE_LIMITED", 429, None)],
    ids=["not soon over", "no pause named"],
)
def test_what_waiting_would_not_help_is_said_at_once(answer: httpx.Response) -> None:
    asked, pauses = service(lambda _: answer)
    with pytest.raises(EtterError):
        asked.send_patiently(calls.companies())
    assert pauses == []


def test_a_service_that_does_not_answer_is_named_with_how_to_start_it() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    asked, _ = service(refuse)
    for ask in (asked.companies, lambda: list(asked.watch("role-onboard-000000000000"))):
        with pytest.raises(EtterError, match="etter up") as caught:
            ask()
        assert caught.value.code is ErrorCode.STORE_UNAVAILABLE
