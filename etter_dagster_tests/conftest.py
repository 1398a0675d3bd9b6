"""Fixtures of all tests: settings of a folder of the test's own, and a clock that stands still."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import certifi
import hypothesis
import pytest

from etter_dagster.settings import Settings
from etter_dagster_tests.servers.neo4j import Neo4jServer, empty_database
from etter_dagster_tests.servers.postgres import PostgresServer, postgres_server
from etter_dagster_tests.servers.redis import RedisServer, redis_server

# Property tests do not look at the clock: a slow machine makes them slow, never red.
hypothesis.settings.register_profile(
    "etter", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("etter")

# A shell without job control starts what it runs in the background deaf to Ctrl-C, and that is
# inherited: the programs that tests interrupt must hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer's shell sets reaches no test."""
    for name in list(os.environ):
        if name.upper().startswith("ETTER_") or name == "DAGSTER_HOME":
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True, scope="session")
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test asks anybody over TLS, and to read all authorities takes 25 ms for each client."""
    end = "-----END CERTIFICATE-----\n"
    first = tmp_path_factory.mktemp("tls") / "one.pem"
    first.write_text(Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end)
    os.environ["SSL_CERT_FILE"] = str(first)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Embedded stores in the test's folder, no sample roles, no pauses between attempts."""
    return Settings(data_dir=tmp_path, enable_mock_data=False, retry_backoff_seconds=0)


class Clock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 5, 9, 0, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now

    def tick(self, seconds: float = 1.0) -> datetime:
        """Moves on by so many seconds."""
        self.now += timedelta(seconds=seconds)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def _running_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def redis(_running_redis: RedisServer) -> RedisServer:
    """An empty Redis; tests that kill it start one of their own."""
    _running_redis.empty()
    return _running_redis


@pytest.fixture
def neo4j(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """A Neo4j with nothing in it but the schema, for this test alone; see `servers/`."""
    with empty_database(tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    """The URL of an empty database of the test's own."""
    return postgres.new_database()
