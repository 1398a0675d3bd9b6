"""Logs: one JSON object a line with the ids of what it is about, and never a secret."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from etter_dagster.logs import (
    REQUESTS,
    JsonFormatter,
    TextFormatter,
    configure,
    line_of_program,
    log_ids,
    logged,
    masked,
    secrets_of,
)
from etter_dagster.settings import Settings
from etter_dagster_tests.rest import push_body, rest_of

NAME = "etter_dagster"


@pytest.fixture
def lines(settings: Settings) -> Iterator[Any]:
    """Gives what was logged below our name since, as parsed lines."""
    stream = io.StringIO()
    logger, requests = logging.getLogger(NAME), logging.getLogger(REQUESTS)
    before = logger.level, logger.propagate, requests.level
    secret = settings.with_changes(log_format="json", neo4j_password=SecretStr("s3cret/pass"))
    configure(secret, logger=NAME, stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.handlers.clear()
    logger.level, logger.propagate, requests.level = before


def test_a_line_has_time_level_logger_message_and_ids(lines: Any) -> None:
    """What a collector finds lines by; ids reach tasks and threads, and end with their block."""

    async def work() -> None:
        with logged(workflow_id="role-onboard-1", run_id=None):
            await asyncio.gather(asyncio.to_thread(logging.getLogger(NAME).warning, "in %s", "it"))
        logging.getLogger(NAME).info("after")

    with logged(trace_id="t1"):
        asyncio.run(work())
    first, second = lines()
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "WARNING",
        "logger": NAME,
        "message": "in it",
        "trace_id": "t1",
        "workflow_id": "role-onboard-1",
    }
    assert "workflow_id" not in second
    assert log_ids() == {}


def test_any_text_stays_one_line() -> None:
    """Names of roles come from strangers: none may forge a line or break a collector."""
    text = 'a\nb"{}\u2028\ud800\x1b[31m'
    record = logging.LogRecord(NAME, logging.INFO, "", 1, "%s", (text,), None)
    line = JsonFormatter(frozenset()).format(record)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == text


def test_no_text_forges_a_line_for_people_or_steers_their_terminal() -> None:
    """A terminal obeys what is in a log that somebody looks at."""
    text = "a\r2026-01-01 forged\nb\x1b]0;title\x07\x9b2J\u2028\ud800\tc"
    record = logging.LogRecord(NAME, logging.INFO, "", 1, "%s", (text,), None)
    first, second = TextFormatter(frozenset()).format(record).split("\n")
    assert first.endswith(f"INFO {NAME}: a\\r2026-01-01 forged")
    assert second == "  b\\x1b]0;title\\x07\\x9b2J\\u2028\\ud800\tc"


def test_an_error_is_in_its_line(lines: Any) -> None:
    """A traceback over many lines would be many records."""
    try:
        raise ValueError("neo4j says s3cret/pass")
    except ValueError:
        logging.getLogger(NAME).exception("broke")
    (line,) = lines()
    assert "ValueError" in line["error"]
    assert "s3cret" not in json.dumps(line)


@pytest.mark.parametrize(
    "text",
    [
        "password s3cret/pass!",
        "bolt://neo4j:s3cret%2Fpass@host:7687",
        "Authorization: Bearer s3cret-token-of-any-kind".replace("s3cret", "etkother"),
        "key etk_abcdefghijklmnop",
        "postgresql+psycopg2://user:hunter22@db/x",
        "https://user:hunter22@example.com/",
    ],
)
def test_secrets_are_masked_wherever_they_come_from(text: str) -> None:
    """A library's message may hold the URL that it was given."""
    secrets = secrets_of(Settings(neo4j_password=SecretStr("s3cret/pass")))
    shown = masked(text, secrets)
    for secret in ("s3cret", "hunter22", "abcdefgh", "etkother"):
        assert secret not in shown
    assert "***" in shown


def test_a_password_of_a_url_is_masked_also_by_itself() -> None:
    """Drivers take a URL apart, and tell of the parts."""
    url = SecretStr("postgresql://dagster:hun%2Fter22@db/dagster")
    secrets = secrets_of(Settings(dagster_postgres_url=url))
    for text in ("password hun/ter22 refused", "password hun%2Fter22 refused"):
        assert masked(text, secrets) == "password *** refused"


def test_fields_of_a_line_are_masked_too(lines: Any) -> None:
    fields = {"route": "/s3cret/pass", "status": 200}
    logging.getLogger(NAME).warning("asked", extra={"fields": fields})
    (line,) = lines()
    assert (line["route"], line["status"]) == ("/***", 200)


def test_ordinary_words_are_not_masked() -> None:
    """A log that hides everything says nothing."""
    text = "GET http://127.0.0.1:8090/dashboard: bearer of the task, 10:30@noon, etk_ keys"
    assert masked(text) == text


def test_what_programs_write_is_json_too() -> None:
    """Dagster's lines are passed on, a stray one is wrapped."""
    own = json.dumps({"event": "x"})
    assert line_of_program("daemon", own, frozenset()) == own
    wrapped = json.loads(line_of_program("rest", "Traceback: s3cret", frozenset({"s3cret"})))
    assert (wrapped["logger"], wrapped["message"]) == ("rest", "Traceback: ***")
    assert json.loads(line_of_program("rest", "[1]", frozenset()))["message"] == "[1]"


async def test_a_request_and_a_walk_can_be_followed(settings: Settings, lines: Any) -> None:
    """From the caller's trace to the request, and from the push to its run."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    settings = settings.with_changes(dagster_port=9)
    async with rest_of(settings) as rest:
        answer = await rest.http.post("/push", json=push_body(), headers=headers)
        assert answer.headers["X-Trace-Id"] == trace
        await rest.work()
        other = await rest.http.get("/status/" + answer.json()["workflow_id"])
        assert other.headers["X-Trace-Id"] != trace
    (asked,) = [line for line in lines() if line.get("trace_id") == trace]
    assert asked["logger"] == REQUESTS
    assert (asked["method"], asked["status"]) == ("POST", 200)
    assert asked["route"] == "/push"
    assert asked["key_id"] == "anonymous"
    pushed = answer.json()
    (ended,) = [line for line in lines() if "role_id" in line]
    assert ended["workflow_id"] == pushed["workflow_id"]
    assert ended["role_id"] == pushed["role_id"]
    assert ended["message"] == "ended ready after 1 attempts"
    assert any(line.get("workflow_id") == pushed["workflow_id"] for line in lines()[-1:])
