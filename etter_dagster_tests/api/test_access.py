"""Keys on REST: who gets in, what a key may do, and what happens when the file changes."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from etter_dagster.settings import Settings
from etter_dagster.settings_keys import read_keys, write_keys
from etter_dagster_tests.keys import add_key, bearer, secret_of
from etter_dagster_tests.rest import Rest, error, push_body, rest_of


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def settings(tmp_path: Path, keys: Path) -> Settings:
    add_key(keys, "all")
    return Settings(
        data_dir=tmp_path,
        api_keys_file=keys,
        enable_mock_data=False,
        dagster_port=9,
        retry_backoff_seconds=0,
    )


async def names(rest: Rest, headers: dict[str, str]) -> list[str]:
    answer = await rest.http.get("/companies", headers=headers)
    assert answer.status_code == 200, answer.text
    found: list[str] = answer.json()["companies"]
    return found


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer etk_wrong",
        f"Basic {secret_of('all')}",
        secret_of("all"),
        f"Bearer {secret_of('all')}x",
        f"Bearer {secret_of('all')},{secret_of('all')}",
        "Bearer " + "x" * 5000,
    ],
)
async def test_without_a_valid_key_nobody_gets_in_also_from_here(
    rest: Rest, header: str | None
) -> None:
    """A proxy on the same machine makes everybody a caller from here."""
    headers = {} if header is None else {"Authorization": header}
    answer = await rest.http.get("/companies", headers=headers)
    error(answer, 401, "UNAUTHORIZED")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert secret_of("all") not in answer.text


async def test_a_key_lets_in_from_anywhere(settings: Settings) -> None:
    """The scheme's name is read in any case, as HTTP has it."""
    async with rest_of(settings, client="203.0.113.7") as rest:
        assert await names(rest, bearer(secret_of("all"))) == []
        assert await names(rest, {"Authorization": f"bearer {secret_of('all')}"}) == []


async def test_a_key_of_one_company_has_no_other(rest: Rest, keys: Path) -> None:
    """403 for a company that the caller names, 404 for an id; lists show the key's own."""
    admin = bearer(secret_of("all"))
    acme = add_key(keys, "acme", "Acme", scope="push")
    for company in ("Acme", "Globex"):
        answer = await rest.http.post("/push", json=push_body(company=company), headers=admin)
        assert answer.status_code == 200
    theirs = answer.json()
    assert await names(rest, acme) == ["Acme"]
    assert await names(rest, admin) == ["Acme", "Globex"]
    error(await rest.http.get("/roles/Globex", headers=acme), 403, "FORBIDDEN")
    other = push_body("Other", "Globex")
    error(await rest.http.post("/push", json=other, headers=acme), 403, "FORBIDDEN")
    for path in (f"/status/{theirs['workflow_id']}", f"/assessments/{theirs['role_id']}"):
        unknown = await rest.http.get(path[:-1] + "_", headers=acme)
        found = await rest.http.get(path, headers=acme)
        assert error(found, 404, "NOT_FOUND").keys() == error(unknown, 404, "NOT_FOUND").keys()


@pytest.mark.parametrize(("scope", "legal"), [("read", 1), ("push", 2), ("admin", 3)])
async def test_a_key_may_do_what_its_scope_says(
    rest: Rest, keys: Path, scope: str, legal: int
) -> None:
    """The message names the scope that lacks."""
    headers = add_key(keys, "k", scope=scope)
    answers = [
        await rest.http.get("/companies", headers=headers),
        await rest.http.post("/push", json=push_body(), headers=headers),
        await rest.http.get("/audit", headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [200] * legal + [403] * (3 - legal)
    if legal < 3:
        assert ("push", "admin")[legal - 1] in error(answers[legal], 403, "FORBIDDEN")["message"]


async def test_an_expired_key_is_said_to_be_expired(rest: Rest, keys: Path) -> None:
    """Its owner would else look for a mistake in it."""
    now = datetime.now(timezone.utc)
    over = add_key(keys, "over", expires_at=now - timedelta(seconds=1))
    lasting = add_key(keys, "lasting", expires_at=now + timedelta(hours=1))
    answer = await rest.http.get("/companies", headers=over)
    assert "expired" in error(answer, 401, "UNAUTHORIZED")["message"]
    assert await names(rest, lasting) == []


async def test_a_new_key_counts_at_once_and_a_revoked_one_no_more(rest: Rest, keys: Path) -> None:
    """No restart; also for a change within the same moment and of the same length."""
    admin = bearer(secret_of("all"))
    assert await names(rest, admin) == []
    for n in range(5):
        new = add_key(keys, f"n{n}")
        assert await names(rest, new) == []
        write_keys(keys, [key for key in read_keys(keys) if key.id != f"n{n}"])
        error(await rest.http.get("/companies", headers=new), 401, "UNAUTHORIZED")
    write_keys(keys, [])
    error(await rest.http.get("/companies", headers=admin), 401, "UNAUTHORIZED")


async def test_changes_of_keys_stand_in_the_log_by_their_ids(
    rest: Rest, keys: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Keys are changed outside the service, so its audit log does not know of it."""
    await names(rest, bearer(secret_of("all")))
    with caplog.at_level(logging.INFO):
        new = add_key(keys, "newcomer")
        await names(rest, new)
        write_keys(keys, [key for key in read_keys(keys) if key.id != "newcomer"])
        error(await rest.http.get("/companies", headers=new), 401, "UNAUTHORIZED")
    said = [r.getMessage() for r in caplog.records if r.getMessage().startswith("API keys:")]
    assert [line.split("; ", 1)[1] for line in said] == [
        "new: newcomer; gone: none",
        "new: none; gone: newcomer",
    ]
    assert secret_of("newcomer") not in caplog.text


def _break(path: Path, content: str | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_text(content)


@pytest.mark.parametrize("content", [None, "nonsense", '[{"id": "x"}]'])
async def test_a_file_that_breaks_shuts_nobody_out_and_is_told(
    rest: Rest, keys: Path, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """A slip of the pen must not stop a company; whoever watches must see it."""
    admin = bearer(secret_of("all"))
    assert await names(rest, admin) == []
    good = read_keys(keys)
    _break(keys, content)
    with caplog.at_level(logging.ERROR):
        assert await names(rest, admin) == []
        health = (await rest.http.get("/health")).json()
    assert health["components"]["api"] == "keys file not readable"
    assert health["status"] == "degraded"
    assert str(keys) not in json.dumps(health)
    assert len([r for r in caplog.records if "last good keys" in r.getMessage()]) == 1
    write_keys(keys, good)
    assert await names(rest, admin) == []
    assert (await rest.http.get("/health")).json()["components"]["api"] == "healthy"


async def test_the_audit_names_the_key_and_never_holds_it(rest: Rest, keys: Path) -> None:
    """Who did it is the key's id; `created_by` is what the caller says of a person."""
    headers = add_key(keys, "platform", "Acme")
    body = push_body(created_by="ada@example.com")
    assert (await rest.http.post("/push", json=body, headers=headers)).status_code == 200
    page = await rest.http.get("/audit", headers=headers)
    (entry,) = (item for item in page.json()["items"] if item["action"] == "push")
    assert (entry["actor"], entry["created_by"]) == ("platform", "ada@example.com")
    assert "etk_" not in page.text


async def test_an_idempotency_key_is_each_api_keys_own(rest: Rest, keys: Path) -> None:
    """Two callers that count from 1 must not get each other's answers."""
    once = {"Idempotency-Key": "1"}
    first = add_key(keys, "first", "Acme") | once
    second = add_key(keys, "second", "Globex") | once
    one = await rest.http.post("/push", json=push_body(), headers=first)
    two = await rest.http.post("/push", json=push_body(company="Globex"), headers=second)
    again = await rest.http.post("/push", json=push_body(), headers=first)
    assert two.json()["workflow_id"] != one.json()["workflow_id"] == again.json()["workflow_id"]


async def test_a_key_of_some_companies_does_not_see_the_metrics_of_all(
    rest: Rest, keys: Path
) -> None:
    """They tell how much others push."""
    some = add_key(keys, "acme", "Acme")
    error(await rest.http.get("http://test/metrics", headers=some), 403, "FORBIDDEN")
    every = add_key(keys, "prometheus", scope="read")
    assert (await rest.http.get("http://test/metrics", headers=every)).status_code == 200


async def test_a_change_in_dagsters_ui_whose_answer_was_lost_is_in_the_audit_too(
    rest: Rest, keys: Path
) -> None:
    """It may have been made; Dagster is off here, which looks the same."""
    admin = add_key(keys, "boss", scope="admin")
    query = 'mutation { deletePipelineRun(runId: "x") { __typename } }'
    url = "http://test/dagster/graphql"
    asked = await rest.http.post(url, json={"query": query}, headers=admin)
    error(asked, 503, "STORE_UNAVAILABLE")
    entries = (await rest.http.get("/audit", headers=admin)).json()["items"]
    (entry,) = (entry for entry in entries if entry["action"] == "dagster-ui")
    assert (entry["actor"], entry["target"]) == ("boss", "deletePipelineRun")


async def test_production_takes_nobody_without_keys_however_it_is_served(tmp_path: Path) -> None:
    """Mounted in another app, the start checks do not run."""
    settings = Settings(data_dir=tmp_path, environment="production", dagster_port=9)
    async with rest_of(settings) as rest:
        answer = await rest.http.get("/companies")
        assert "ETTER_API_KEYS_FILE" in error(answer, 401, "UNAUTHORIZED")["message"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8090", 200),
        ("127.0.0.1:8090", 200),
        ("[::1]:8090", 200),
        ("laptop", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example:8090", 403),
    ],
)
async def test_without_keys_a_name_of_the_internet_does_not_mean_this_machine(
    tmp_path: Path, host: str, status: int
) -> None:
    """A page can give its own name this machine's address, and would then read all."""
    settings = Settings(data_dir=tmp_path, enable_mock_data=False, dagster_port=9)
    async with rest_of(settings) as rest:
        answer = await rest.http.get("/companies", headers={"Host": host})
        assert answer.status_code == status
