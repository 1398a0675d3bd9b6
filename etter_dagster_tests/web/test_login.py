"""Logging in to the pages with a key: the cookie, what it opens, and when it ends."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from etter_dagster.api.sessions import COOKIE
from etter_dagster.settings import Settings
from etter_dagster.settings_keys import read_keys, write_keys
from etter_dagster_tests.keys import add_key, bearer, secret_of
from etter_dagster_tests.rest import Rest, error, push_body, rest_of

OURS = {"Origin": "http://test", "Sec-Fetch-Site": "same-origin"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    add_key(path, "ada", "Acme", scope="push")
    add_key(path, "all")
    return path


@pytest.fixture
def settings(tmp_path: Path, keys: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        api_keys_file=keys,
        enable_mock_data=False,
        dagster_port=9,
        retry_backoff_seconds=0,
    )


@pytest.fixture
async def rest(settings: Settings) -> AsyncIterator[Rest]:
    async with rest_of(settings) as opened:
        yield opened


async def log_in(
    rest: Rest,
    key_id: str = "ada",
    *,
    next_: str = "/dashboard",
    headers: dict[str, str] = OURS,
    base: str = "http://test",
) -> httpx.Response:
    body = urlencode({"key": secret_of(key_id), "next": next_})
    return await rest.http.post(f"{base}/login", content=body, headers={**FORM, **headers})


def cookie_of(answer: httpx.Response) -> Morsel[str]:
    return SimpleCookie(answer.headers["set-cookie"])[COOKIE]


async def test_a_visitor_logs_in_and_is_where_they_wanted_to_be(rest: Rest) -> None:
    """From a link to a role, through the form, to the role; the link's query included."""
    answer = await rest.http.get("http://test/dashboard/A%2FB%20Co?cursor=x%20y")
    assert answer.status_code == 303
    form = await rest.http.get(f"http://test{answer.headers['location']}")
    assert 'type="password"' in form.text
    assert 'value="/dashboard/A%2FB%20Co?cursor=x%20y"' in form.text
    answer = await log_in(rest, next_="/dashboard/A%2FB%20Co?cursor=x%20y")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/dashboard/A%2FB%20Co?cursor=x%20y"
    page = await rest.http.get("http://test/dashboard")
    assert page.status_code == 200
    assert "Log out" in page.text


async def test_the_cookie_is_for_the_browser_alone(rest: Rest, tmp_path: Path) -> None:
    """No script reads it, no other site sends it, nobody who reads the store can make it."""
    cookie = cookie_of(await log_in(rest))
    assert cookie["httponly"]
    assert cookie["samesite"] == "strict"
    assert cookie["path"] == "/"
    assert not cookie["secure"]
    assert len(cookie.value) >= 40
    await rest.runtime.close()
    stored = _stored(tmp_path)
    assert b"ada" in stored
    assert cookie.value.encode() not in stored
    assert secret_of("ada").encode() not in stored


def _stored(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("access.db*"))


@pytest.mark.parametrize("public", [False, True])
async def test_over_https_the_cookie_is_sent_over_https_only(
    settings: Settings, public: bool
) -> None:
    """Also where a proxy in front speaks https and we do not see it."""
    if public:
        settings = settings.with_changes(dashboard_base_url="https://etter.example")
    async with rest_of(settings) as rest:
        base = "http://test" if public else "https://test"
        headers = {"Origin": base, "Sec-Fetch-Site": "same-origin"}
        assert cookie_of(await log_in(rest, base=base, headers=headers))["secure"]


async def test_a_session_opens_what_its_key_opens(rest: Rest) -> None:
    """Pages, REST and the event stream; other companies not."""
    for company in ("Acme", "Globex"):
        body = push_body(company=company)
        await rest.http.post("/push", json=body, headers=bearer(secret_of("all")))
    await rest.work()
    await log_in(rest)
    page = await rest.http.get("http://test/dashboard")
    assert "Acme" in page.text
    assert "Globex" not in page.text
    assert (await rest.http.get("http://test/dashboard/Globex")).status_code == 404
    assert (await rest.http.get("/companies")).json()["companies"] == ["Acme"]
    error(await rest.http.get("/roles/Globex"), 403, "FORBIDDEN")
    error(await rest.http.get("/audit"), 403, "FORBIDDEN")
    (push,) = (await rest.http.get("/history/Acme")).json()["items"]
    events = await rest.http.get(f"/status/{push['workflow_id']}/events")
    assert events.text.count("event: status") == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://test"}, 200),
        ({}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://test:81"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://test"}, 403),
    ],
)
async def test_only_pages_of_ours_may_act_in_a_session(
    rest: Rest, headers: dict[str, str], status: int
) -> None:
    """The browser sends the cookie whoever made it ask."""
    await log_in(rest)
    answer = await rest.http.post("/push", json=push_body(), headers=headers)
    assert answer.status_code == status


async def test_a_foreign_page_can_neither_log_in_nor_out(rest: Rest) -> None:
    """Logged in as somebody else, a person would hand over what they type."""
    foreign = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = await log_in(rest, headers=foreign)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    await log_in(rest)
    await rest.http.post("http://test/logout", headers=foreign)
    assert (await rest.http.get("/companies")).status_code == 200


async def test_a_key_that_is_sent_counts_before_the_cookie(rest: Rest) -> None:
    """A wrong one is refused, not replaced by whoever sits at the browser."""
    await log_in(rest)
    error(await rest.http.get("/companies", headers=bearer("etk_x")), 401, "UNAUTHORIZED")
    assert (await rest.http.get("/audit", headers=bearer(secret_of("all")))).status_code == 200


async def test_logged_out_the_cookie_opens_nothing_wherever_it_was_kept(rest: Rest) -> None:
    """Not just forgotten by this browser."""
    token = cookie_of(await log_in(rest)).value
    answer = await rest.http.post("http://test/logout", headers=OURS)
    assert answer.status_code == 303
    assert cookie_of(answer)["max-age"] == "0"
    kept = {"Cookie": f"{COOKIE}={token}"}
    error(await rest.http.get("/companies", headers=kept), 401, "UNAUTHORIZED")
    again = await rest.http.post("http://test/logout", headers=OURS)
    assert again.status_code == 303


@pytest.mark.parametrize("how", ["revoked", "expired", "replaced"])
async def test_a_session_ends_with_its_key(rest: Rest, keys: Path, how: str) -> None:
    """At once: whoever lost the key must be out."""
    await log_in(rest)
    assert (await rest.http.get("/companies")).status_code == 200
    before = read_keys(keys)
    others = [key for key in before if key.id != "ada"]
    (own,) = (key for key in before if key.id == "ada")
    changed = {
        "revoked": [],
        "expired": [own.model_copy(update={"expires_at": datetime.now(timezone.utc)})],
        "replaced": [own.model_copy(update={"sha256": "0" * 64})],
    }[how]
    write_keys(keys, [*others, *changed])
    error(await rest.http.get("/companies"), 401, "UNAUTHORIZED")
    assert (await rest.http.get("http://test/dashboard")).status_code == 303


async def test_a_session_does_not_outlive_its_key(rest: Rest, keys: Path) -> None:
    """The store forgets it by then."""
    soon = datetime.now(timezone.utc) + timedelta(hours=1)
    add_key(keys, "short", expires_at=soon)
    await log_in(rest, "short")
    access = (await rest.runtime.opened()).access
    token = rest.http.cookies[COOKIE]
    session = await access.session(hashlib.sha256(token.encode()).hexdigest())
    assert session is not None
    assert session.expires_at == soon


@pytest.mark.parametrize("key", ["etk_wrong", "", "\ud800".encode("utf-8", "surrogatepass")])
async def test_a_wrong_key_gets_the_form_again_with_the_reason(
    rest: Rest, key: str | bytes
) -> None:
    """And never the key itself."""
    body = urlencode({"key": key, "next": "/dashboard/Acme"})
    answer = await rest.http.post("http://test/login", content=body, headers={**FORM, **OURS})
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert 'value="/dashboard/Acme"' in answer.text
    assert "etk_wrong" not in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "dashboard",
        "",
    ],
)
async def test_a_link_cannot_send_a_person_elsewhere_after_logging_in(
    rest: Rest, target: str
) -> None:
    """An open redirect lends our name to a forged form."""
    answer = await log_in(rest, next_=target)
    assert answer.headers["location"] == "/dashboard"


async def test_a_link_from_another_site_asks_once_more(rest: Rest) -> None:
    """The browser leaves a strict cookie out then; the person is logged in all the same."""
    await log_in(rest)
    token = rest.http.cookies[COOKIE]
    rest.http.cookies.clear()
    linked = await rest.http.get("http://test/dashboard", headers={"Sec-Fetch-Site": "cross-site"})
    assert 'http-equiv="refresh"' in linked.text
    again = await rest.http.get(
        "http://test/dashboard",
        headers={"Sec-Fetch-Site": "same-origin", "Cookie": f"{COOKIE}={token}"},
    )
    assert "Log out" in again.text
    out = await rest.http.get("http://test/dashboard", headers={"Sec-Fetch-Site": "same-origin"})
    assert out.status_code == 303  # and no loop for one who is not


async def test_sessions_are_in_the_audit(rest: Rest) -> None:
    """Who was in, and from when to when."""
    await log_in(rest, "all")
    await rest.http.post("http://test/logout", headers=OURS)
    entries = (await rest.http.get("/audit", headers=bearer(secret_of("all")))).json()["items"]
    acts = [(entry["action"], entry["actor"]) for entry in entries if entry["actor"] == "all"]
    assert acts == [("log-out", "all"), ("log-in", "all")]


async def test_without_keys_there_is_nothing_to_log_in_to(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, enable_mock_data=False, dagster_port=9)
    async with rest_of(settings) as rest:
        answer = await rest.http.get("http://test/login")
        assert answer.headers["location"] == "/dashboard"
