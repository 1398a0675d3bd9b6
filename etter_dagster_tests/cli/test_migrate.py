"""`etter migrate` and the refusal of `etter up`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from etter_dagster_tests.cli.conftest import Etter


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ETTER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def test_each_store_is_named_with_its_versions(etter: Etter, folder: Path) -> None:
    ran = etter("migrate")
    assert ran.code == 0
    assert [row["store"] for row in ran.table] == ["graph", "queue", "access", "ledger"]
    again = etter("migrate", "--json").json["stores"]
    assert all(store["before"] == store["now"] for store in again)


def test_a_store_that_cannot_be_reached_is_3(
    etter: Etter, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETTER_NEO4J_URI", "bolt://127.0.0.1:1")
    monkeypatch.setenv("ETTER_NEO4J_PASSWORD", "hunter2")
    ran = etter("migrate", "--json")
    assert ran.code == 3
    assert ran.error["error"] == "STORE_UNAVAILABLE"
    assert "127.0.0.1" not in ran.stderr
    assert "hunter2" not in ran.stderr


@pytest.mark.parametrize("command", ["migrate", "up"])
def test_a_newer_store_is_refused_and_left_alone(etter: Etter, folder: Path, command: str) -> None:
    etter("migrate")
    with sqlite3.connect(folder / "graph.db") as connection:
        connection.execute("PRAGMA user_version=99")
    ran = etter(command)
    assert ran.code == 3
    assert "newer Etter" in ran.stderr


@pytest.mark.parametrize(
    "command", ["migrate", "drain", "reconcile", "export", "plan", "company delete X --yes"]
)
def test_in_production_no_command_works_on_files_of_this_machine(
    etter: Etter, folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A shell without the deployment's variables got an empty export, and exit code 0."""
    monkeypatch.setenv("ETTER_ENVIRONMENT", "production")
    ran = etter(*command.split())
    assert ran.code == 2
    for name in ("NEO4J_URI", "REDIS_HOST", "DAGSTER_POSTGRES_URL"):
        assert f"set ETTER_{name}" in ran.stderr
    assert not folder.exists()
