"""Dagster's UI through the gate: an admin does everything, others look, or get nothing."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from etter_dagster.api import dagster_socket
from etter_dagster_tests.graphql.stack import Stack
from etter_dagster_tests.keys import bearer, secret_of
from etter_dagster_tests.rest import error

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LOOK = "query Look { instance { id } }"
CHANGE = 'mutation { setConcurrencyLimit(concurrencyKey: "x", limit: 1) }'
WATCH = "subscription { locationStateChangeEvents { event { eventType } } }"
LOGS = """subscription($id: ID!) { pipelineRunLogs(runId: $id) {
  __typename ... on PipelineRunLogsSubscriptionSuccess { messages { __typename } } } }"""


def get(stack: Stack, key: str | None, path: str, **options: Any) -> httpx.Response:
    headers = {**(bearer(secret_of(key)) if key else {}), **options.pop("headers", {})}
    method = options.pop("method", "GET")
    return httpx.request(method, f"{stack.url}{path}", headers=headers, timeout=60, **options)


def ask(stack: Stack, key: str | None, query: str, **headers: str) -> httpx.Response:
    body = {"query": query}
    return get(stack, key, "/dagster/graphql", method="POST", json=body, headers=headers)


def test_the_page_and_all_files_it_names_are_served_under_the_prefix(shared: Stack) -> None:
    """Dagster's webserver here knows of no prefix."""
    answer = get(shared, "everybody", "/dagster/")
    assert answer.status_code == 200
    page = answer.text
    assert '"pathPrefix": "/dagster"' in page
    assert '__webpack_public_path__ = "/dagster"' in page
    assert '"assetPrefix":"/dagster"' in page
    files = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert len(files) >= 8
    for path in files:
        assert path.startswith("/dagster/"), path
        assert get(shared, "everybody", path).status_code == 200, path
    assert "nonce-" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"


def test_every_place_of_the_ui_is_its_page(shared: Stack) -> None:
    """It is one page that shows what the path says."""
    assert get(shared, "admin", "/dagster").headers["location"] == "/dagster/"
    for path in ("/dagster/runs", "/dagster/assets/ai_assessment?view=partitions"):
        answer = get(shared, "admin", path)
        assert answer.headers["content-type"].startswith("text/html"), path


def test_a_webserver_with_a_prefix_of_its_own_is_served_under_ours() -> None:
    from etter_dagster.api.dagster_ui import served_under

    page = '"pathPrefix": "/up", <a href="/up/x"> <script src="/up/_next/y">'
    ours = '"pathPrefix": "/dagster", <a href="/dagster/x"> <script src="/dagster/_next/y">'
    assert served_under(page, "/up", "/dagster") == ours
    assert served_under(ours, "/dagster", "/dagster") == ours


@pytest.mark.parametrize("path", ["/dagster/", "/dagster/runs", "/dagster/favicon.png"])
def test_without_a_key_for_all_companies_there_is_no_ui(shared: Stack, path: str) -> None:
    """It shows every company's roles, and cannot be cut down to some."""
    error(get(shared, None, path), 401, "UNAUTHORIZED")
    for key in ("platform", "reader", "acme-admin"):
        error(get(shared, key, path), 403, "FORBIDDEN")


def test_a_browser_without_a_session_is_sent_to_log_in(shared: Stack) -> None:
    answer = get(shared, None, "/dagster/runs?x=1", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=%2Fdagster%2Fruns")


def test_others_than_admins_look_and_change_nothing(shared: Stack) -> None:
    assert ask(shared, "everybody", LOOK).json()["data"]["instance"]["id"]
    assert ask(shared, "admin", LOOK).status_code == 200
    error(ask(shared, "everybody", CHANGE), 403, "FORBIDDEN")
    both = f"{LOOK} {CHANGE.replace('mutation', 'mutation Change')}"
    error(ask(shared, "everybody", both), 403, "FORBIDDEN")
    error(ask(shared, "everybody", "{{{"), 403, "FORBIDDEN")
    assert ask(shared, "admin", CHANGE).json() == {"data": {"setConcurrencyLimit": True}}
    for key in (None, "platform", "acme-admin"):
        answer = ask(shared, key, LOOK)
        error(answer, *((401, "UNAUTHORIZED") if key is None else (403, "FORBIDDEN")))


def test_what_an_admin_changes_in_dagster_is_in_the_audit_log(shared: Stack) -> None:
    """By name; the values may be anything, documents included."""
    assert ask(shared, "admin", f"query A {LOOK[10:]}").status_code == 200
    with shared.client("admin") as client:
        before = len(client.audit(limit=200).items)
        assert ask(shared, "admin", CHANGE).status_code == 200
        entries = client.audit(limit=200).items
    assert len(entries) == before + 1
    newest = entries[0]
    assert (newest.actor, newest.action, newest.target) == (
        "admin",
        "dagster-ui",
        "setConcurrencyLimit",
    )


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_site_gets_nothing(shared: Stack, origin: str) -> None:
    error(ask(shared, "admin", CHANGE, Origin=origin), 403, "FORBIDDEN")
    assert ask(shared, "admin", LOOK, Origin=shared.url).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/dagster/report_asset_materialization/company_role", 403),
        ("POST", "/dagster/report_asset_check/company_role", 403),
        ("POST", "/dagster/report_asset_observation/company_role", 403),
        ("GET", "/dagster/notebook?path=/etc/x.ipynb&repoLocName=etter", 403),
        ("GET", "/dagster/dagit/notebook?path=/etc/x.ipynb&repoLocName=etter", 403),
        ("GET", "/dagster/graphql?query=%7Bversion%7D", 405),
        ("POST", "/dagster/runs", 405),
        ("POST", "/dagster/x/%2e%2e/report_asset_check/company_role", 404),
        ("GET", "/dagster/%2e%2e/x", 404),
        ("GET", "/dagster//graphql?query=%7Bversion%7D", 404),
        ("GET", "/dagster/x/%5cgraphql", 404),
    ],
)
def test_what_is_not_listed_is_refused_to_admins_too(
    shared: Stack, method: str, path: str, status: int
) -> None:
    """GraphQL in a URL would be a change by following a link."""
    assert get(shared, "admin", path, method=method).status_code == status


def test_graphql_in_the_url_of_a_post_is_not_run(shared: Stack) -> None:
    """Dagster runs it if the body is of another type."""
    path = f"/dagster/graphql?query={CHANGE}"
    error(get(shared, "everybody", path, method="POST"), 415, "UNSUPPORTED_MEDIA_TYPE")
    json_body = get(shared, "everybody", path, method="POST", json={"query": LOOK})
    assert "instance" in json_body.json()["data"]


def test_only_admins_download_everything_about_a_run(shared: Stack) -> None:
    role = shared.define("Downloaded")
    with shared.client("platform") as client:
        run_id = client.materialize_role(role)
        client.wait_runs([run_id])
    error(get(shared, "everybody", f"/dagster/download_debug/{run_id}"), 403, "FORBIDDEN")
    assert get(shared, "admin", f"/dagster/download_debug/{run_id}").status_code == 200


# -- the WebSocket -------------------------------------------------------------------------------
@asynccontextmanager
async def socket(
    stack: Stack, key: str | None, protocol: str = "graphql-ws", **headers: str
) -> AsyncIterator[ClientConnection]:
    own = {**(bearer(secret_of(key)) if key else {}), **headers}
    url = f"{stack.url.replace('http', 'ws')}/dagster/graphql"
    async with connect(
        url,
        subprotocols=[Subprotocol(protocol)],
        additional_headers=own,
        proxy=None,
    ) as opened:
        yield opened


async def start(opened: ClientConnection, query: str, **variables: Any) -> None:
    await opened.send(json.dumps({"type": "connection_init", "payload": {}}))
    assert json.loads(await opened.recv())["type"] == "connection_ack"
    payload = {"query": query, "variables": variables}
    await opened.send(json.dumps({"type": "start", "id": "1", "payload": payload}))


async def received(opened: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await asyncio.wait_for(opened.recv(), 60))
    return message


@pytest.mark.parametrize("key", ["everybody", "admin"])
async def test_the_log_of_a_run_comes_by_the_socket(shared: Stack, key: str) -> None:
    role = shared.define(f"Watched by {key}")
    with shared.client("platform") as client:
        run_id = client.materialize_role(role)
        client.wait_runs([run_id])
    async with socket(shared, key) as opened:
        assert opened.subprotocol == "graphql-ws"
        await start(opened, LOGS, id=run_id)
        message = await received(opened)
    assert message["type"] == "data"
    found = message["payload"]["data"]["pipelineRunLogs"]["messages"]
    assert {"RunStartEvent", "MaterializationEvent"} <= {m["__typename"] for m in found}


@pytest.mark.parametrize("query", [CHANGE, f"{WATCH} {CHANGE}", LOOK, "{{"])
async def test_by_the_socket_others_than_admins_only_watch(shared: Stack, query: str) -> None:
    """The refusal is an answer: the UI goes on with its other subscriptions."""
    async with socket(shared, "everybody") as opened:
        await start(opened, query)
        message = await received(opened)
        assert (message["type"], message["id"]) == ("error", "1")
        await opened.send(json.dumps({"type": "connection_init"}))
        assert (await received(opened))["type"] == "connection_ack"


@pytest.mark.parametrize(
    ("key", "headers"),
    [
        (None, {}),
        ("platform", {}),
        ("acme-admin", {}),
        ("admin", {"Origin": "https://evil.example"}),
    ],
)
async def test_the_socket_is_closed_to_whoever_may_not_look(
    shared: Stack, key: str | None, headers: dict[str, str]
) -> None:
    """Before it opens: a page of another site can open a socket anywhere."""
    with pytest.raises(InvalidStatus) as refused:
        async with socket(shared, key, **headers):
            pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("text", ["[]", "no JSON", '{"type": "start", "id": "1"}', "[" * 5000])
async def test_what_is_no_message_ends_the_socket(shared: Stack, text: str) -> None:
    async with socket(shared, "admin") as opened:
        await opened.send(text)
        with pytest.raises(ConnectionClosed):
            await received(opened)


async def test_a_socket_of_another_protocol_is_not_opened(shared: Stack) -> None:
    with pytest.raises(InvalidStatus):
        async with socket(shared, "admin", "mqtt"):
            pass


async def test_a_revoked_key_loses_its_open_socket(
    shared: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    from etter_dagster.settings_keys import read_keys, write_keys
    from etter_dagster_tests.keys import add_key

    monkeypatch.setattr(dagster_socket, "LOOK_AGAIN_SECONDS", 0.1)
    path = shared.settings.api_keys_file
    assert path is not None
    add_key(path, "leaving", scope="read")
    async with socket(shared, "leaving") as opened:
        await opened.send(json.dumps({"type": "connection_init"}))
        assert (await received(opened))["type"] == "connection_ack"
        write_keys(path, [key for key in read_keys(path) if key.id != "leaving"])
        with pytest.raises(ConnectionClosed):
            await received(opened)


@pytest.mark.parametrize("kind", ["start", "subscribe"])
def test_both_protocols_ask_alike(kind: str) -> None:
    """Dagster may come to speak the newer one; a reader must not get around by it."""
    message = {"type": kind, "id": "1", "payload": {"query": CHANGE, "extensions": {"x": 1}}}
    text = dagster_socket.message_for_dagster(json.dumps(message), may_change=True)
    assert text is not None
    sent = json.loads(text)
    assert set(sent["payload"]) == {"query", "variables", "operationName"}
    with pytest.raises(Exception, match="admin"):
        dagster_socket.message_for_dagster(json.dumps(message), may_change=False)


def test_messages_of_unknown_kinds_go_nowhere() -> None:
    text = json.dumps({"type": "execute", "payload": {"query": CHANGE}})
    assert dagster_socket.message_for_dagster(text, may_change=True) is None


# -- page sessions -------------------------------------------------------------------------------
@pytest.fixture
def cookie(shared: Stack) -> str:
    """What a browser sends after its person has logged in with a reader's key."""
    form = {"key": secret_of("everybody"), "next": "/dagster/"}
    answer = httpx.post(f"{shared.url}/login", data=form, headers={"Origin": shared.url})
    assert (answer.status_code, answer.headers["location"]) == (303, "/dagster/")
    return f"etter_session={answer.cookies['etter_session']}"


def test_a_page_session_looks_at_the_ui(shared: Stack, cookie: str) -> None:
    own = {"Cookie": cookie, "Origin": shared.url}
    assert get(shared, None, "/dagster/", headers={"Cookie": cookie}).status_code == 200
    assert ask(shared, None, LOOK, **own).json()["data"]["instance"]["id"]
    error(ask(shared, None, CHANGE, **own), 403, "FORBIDDEN")
    for elsewhere in ({}, {"Origin": "https://evil.example"}):
        error(ask(shared, None, LOOK, Cookie=cookie, **elsewhere), 403, "FORBIDDEN")


async def test_the_socket_takes_a_session_from_our_own_pages_only(
    shared: Stack, cookie: str
) -> None:
    async with socket(shared, None, Cookie=cookie, Origin=shared.url) as opened:
        await start(opened, WATCH)
    for elsewhere in ({}, {"Origin": "https://evil.example"}):
        with pytest.raises(InvalidStatus):
            async with socket(shared, None, Cookie=cookie, **elsewhere):
                pass
