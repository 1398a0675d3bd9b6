"""How much a caller may ask: per key, and wrong keys per address."""

from __future__ import annotations

from pathlib import Path

import pytest

from etter_dagster.api.limits import WRONG_KEYS_PER_MINUTE
from etter_dagster.settings import Settings
from etter_dagster_tests.keys import add_key, bearer
from etter_dagster_tests.rest import error, rest_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        api_keys_file=tmp_path / "keys.json",
        enable_mock_data=False,
        dagster_port=9,
    )


async def test_a_key_that_asks_too_often_is_told_when_to_come_again(settings: Settings) -> None:
    """And only that key; `/health` stays open."""
    keys = settings.api_keys_file
    assert keys is not None
    eager, calm = add_key(keys, "eager"), add_key(keys, "calm")
    async with rest_of(settings.with_changes(rate_limit_per_minute=5)) as rest:
        for _ in range(5):
            assert (await rest.http.get("/companies", headers=eager)).status_code == 200
        for path in ("/companies", "/status/x", "http://test/metrics"):
            answer = await rest.http.get(path, headers=eager)
            assert error(answer, 429, "RATE_LIMITED")["recoverable"] is True
            assert 0 < int(answer.headers["Retry-After"]) <= 61
        page = await rest.http.get("http://test/dashboard", headers=eager)
        assert page.status_code == 429
        assert int(page.headers["Retry-After"]) > 0
        assert (await rest.http.get("/companies", headers=calm)).status_code == 200
        assert (await rest.http.get("/health")).status_code == 200


async def test_without_keys_the_limit_counts_too(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, enable_mock_data=False, dagster_port=9, rate_limit_per_minute=1
    )
    async with rest_of(settings) as rest:
        assert (await rest.http.get("/companies")).status_code == 200
        error(await rest.http.get("/companies"), 429, "RATE_LIMITED")


async def test_a_program_that_guesses_keys_is_slowed_down(settings: Settings) -> None:
    """On REST and the login page alike; a right key from the same address still opens."""
    keys = settings.api_keys_file
    assert keys is not None
    good = add_key(keys, "good")
    async with rest_of(settings) as rest:
        for n in range(WRONG_KEYS_PER_MINUTE - 1):
            answer = await rest.http.get("/companies", headers=bearer(f"etk_{n}"))
            error(answer, 401, "UNAUTHORIZED")
        headers = {
            "Origin": "http://test",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        form = await rest.http.post("http://test/login", content="key=x", headers=headers)
        assert form.status_code == 401
        form = await rest.http.post("http://test/login", content="key=x", headers=headers)
        assert form.status_code == 429
        assert int(form.headers["Retry-After"]) > 0
        answer = await rest.http.get("/companies", headers=bearer("etk_again"))
        error(answer, 429, "RATE_LIMITED")
        error(await rest.http.get("/companies"), 401, "UNAUTHORIZED")
        assert (await rest.http.get("/companies", headers=good)).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/companies", 200),
        ("/audit", 200),
        ("http://test/metrics", 200),
        # States of roles and the newest pushes are in the queue: half an answer would be wrong.
        ("/roles/Acme", 503),
        ("/history/Acme", 503),
    ],
)
async def test_what_an_outage_of_the_queue_leaves_is_as_docs_access_says(
    settings: Settings, path: str, status: int
) -> None:
    keys = settings.api_keys_file
    assert keys is not None
    admin = add_key(keys, "boss", scope="admin")
    away = settings.with_changes(redis_host="127.0.0.1", redis_port=1)
    async with rest_of(away) as rest:
        assert (await rest.http.get(path, headers=admin)).status_code == status


async def test_with_the_queue_away_what_needs_none_is_answered_and_limits_hold(
    settings: Settings,
) -> None:
    """The counts are beside the queue; its outage is none of the graph, and lifts no limit."""
    keys = settings.api_keys_file
    assert keys is not None
    reader = add_key(keys, "reader")
    away = settings.with_changes(redis_host="127.0.0.1", redis_port=1, rate_limit_per_minute=3)
    async with rest_of(away) as rest:
        for _ in range(2):
            answer = await rest.http.get("/assessments/cr-x-y-000000000000", headers=reader)
            error(answer, 404, "NOT_FOUND")
        error(await rest.http.get("/pushes", headers=reader), 503, "STORE_UNAVAILABLE")
        answer = await rest.http.get("/companies", headers=reader)
        error(answer, 429, "RATE_LIMITED")
        assert 0 < int(answer.headers["Retry-After"]) <= 61
        error(await rest.http.get("/companies", headers=bearer("etk_wrong")), 401, "UNAUTHORIZED")
        cookie = {"Cookie": "etter_session=x"}
        error(await rest.http.get("/companies", headers=cookie), 503, "STORE_UNAVAILABLE")
        assert (await rest.http.get("/health")).json()["components"]["queue"] == "unhealthy"
