"""Dagster's storage in a real PostgreSQL: its URL, its connections, its restarts."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path

import dagster as dg
import pytest

from etter_dagster.definitions import build_definitions
from etter_dagster.onboarding.accept import accept_many
from etter_dagster.onboarding.services import open_services
from etter_dagster.orchestration.storage_postgres import PooledPostgresEventLogStorage
from etter_dagster.settings import Settings, get_settings
from etter_dagster_tests.orchestration.looking import materialized
from etter_dagster_tests.servers.postgres import PASSWORD, PostgresServer, postgres_server
from etter_dagster_tests.support import order

ROLES = 60


@pytest.fixture
def storage() -> str:
    return "postgres"


def serve(settings: Settings, instance: dg.DagsterInstance) -> bool:
    async def push() -> None:
        services = open_services(settings)
        await accept_many(services, [order(f"r{i}") for i in range(ROLES)])
        await services.close()

    asyncio.run(push())
    job = build_definitions(settings).resolve_job_def("onboard_roles")
    return job.execute_in_process(instance=instance, raise_on_error=False).success


def test_the_url_is_taken_as_users_write_it_and_shown_to_nobody(
    instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    """`postgresql://` alone means psycopg 3 by now; Dagster's UI shows its configuration."""
    assert isinstance(instance.event_log_storage, PooledPostgresEventLogStorage)
    with caplog.at_level(logging.DEBUG):
        shown = instance.info_str()
    assert "run_coordinator" in shown
    assert PASSWORD not in shown + caplog.text


def test_a_run_keeps_few_connections(
    settings: Settings, instance: dg.DagsterInstance, postgres: PostgresServer
) -> None:
    """`max_connections` of docs/operations.md counts on it: stock storage opens one an event."""
    settings = settings.with_changes(linger_seconds=0)
    most, done = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.02):
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'test_%'"
            most = max(most, int(str(postgres.ask(query)[0][0])))

    begun = _begun(postgres)
    watching = threading.Thread(target=watch)
    watching.start()
    try:
        assert serve(settings, instance)
    finally:
        done.set()
        watching.join()
    assert len(materialized(instance, "ai_assessment")) == ROLES
    assert 1 <= most <= 6
    # Opened in all: not one for each of some hundreds of events.
    assert _begun(postgres) - begun < ROLES


def _begun(server: PostgresServer) -> int:
    query = "SELECT sum(sessions) FROM pg_stat_database WHERE datname LIKE 'test_%'"
    return int(str(server.ask(query)[0][0]))


def test_a_restarted_server_is_connected_to_anew(
    settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between two runs of a process that stays, as a daemon does."""
    settings = settings.with_changes(linger_seconds=0)
    with postgres_server() as server:
        monkeypatch.setenv("ETTER_DAGSTER_POSTGRES_URL", server.url)
        get_settings.cache_clear()
        with dg.DagsterInstance.get() as instance:
            assert serve(settings, instance)
            server.restart()
            assert len(materialized(instance, "ai_assessment")) == ROLES
            assert serve(settings, instance)
