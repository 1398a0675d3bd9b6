"""`etter doctor` where Dagster's storage is PostgreSQL."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from etter_dagster.cli.doctor_storage import check_storage
from etter_dagster.model.errors import EtterError
from etter_dagster.orchestration import celery_worker
from etter_dagster.orchestration.runless import open_instance
from etter_dagster.settings import Settings, get_settings
from etter_dagster_tests.cli.conftest import Etter
from etter_dagster_tests.deploy.files import ROOT
from etter_dagster_tests.servers.postgres import PostgresServer

AWAY = "postgresql://dagster:hunter2@127.0.0.1:1/dagster"


def test_an_embedded_storage_needs_no_look() -> None:
    assert list(check_storage(Settings())) == []


def test_one_that_answers_is_well(postgres_url: str) -> None:
    (check,) = check_storage(Settings(dagster_postgres_url=postgres_url))
    assert (check.state, check.found) == ("ok", "answers")


def test_what_refuses_says_why_and_no_address(postgres: PostgresServer, postgres_url: str) -> None:
    """A wrong password or database: the server runs, and nobody would look at the settings."""
    wrong = postgres_url.replace(postgres_url.rsplit("/", 1)[1], "not-there")
    (check,) = check_storage(Settings(dagster_postgres_url=wrong))
    assert (check.state, "does not exist" in check.found) == ("unreachable", True)
    assert "127.0.0.1" not in check.found


def test_one_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    (check,) = check_storage(Settings(dagster_postgres_url=AWAY))
    assert (check.state, check.found) == ("unreachable", "does not answer")
    assert "ETTER_DAGSTER_POSTGRES_URL" in check.remedy


def test_a_command_that_needs_it_names_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`etter reconcile` said to unset DAGSTER_HOME, which is no way to reconcile."""
    monkeypatch.setenv("ETTER_DAGSTER_POSTGRES_URL", AWAY)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    get_settings.cache_clear()
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    try:
        with (
            pytest.raises(EtterError, match="ETTER_DAGSTER_POSTGRES_URL") as caught,
            open_instance(get_settings()),
        ):
            pass
    finally:
        get_settings.cache_clear()
    assert "hunter2" not in str(caught.value)


def test_a_worker_that_cannot_open_it_says_so_at_its_start(
    etter: Etter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It took the runs of all machines and opened none, and logged that it was ready."""
    monkeypatch.setattr(celery_worker, "work", lambda *_, **__: 0)
    monkeypatch.setenv("ETTER_RUN_LAUNCHER", "celery")
    monkeypatch.setenv("ETTER_CELERY_BROKER_URL", "redis://127.0.0.1:1/1")
    monkeypatch.setenv("ETTER_DAGSTER_POSTGRES_URL", AWAY)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    ran = etter("worker")
    assert ran.code == 0, ran.stderr
    assert "ETTER_DAGSTER_POSTGRES_URL" in ran.stderr
    assert "hunter2" not in ran.stderr
