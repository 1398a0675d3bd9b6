"""The way around append-only tables is open for the deletion of a company alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from etter_dagster.stores.protocols import AuditEntry
from etter_dagster.stores.sqlite_graph import SqliteRoleGraph
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.contract.records import NOW
from etter_dagster_tests.contract.test_company import DELETED, fill

TABLES = ("assessments", "history", "audit")


async def test_after_it_nothing_can_be_deleted_again(tmp_path: Path, clock: Clock) -> None:
    graph = SqliteRoleGraph(tmp_path / "graph.db", clock)
    await fill(graph, "Globex")
    await graph.delete_company("Acme", DELETED)
    await graph.close()
    with sqlite3.connect(tmp_path / "graph.db") as connection:
        for table in TABLES:
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(f"DELETE FROM {table}")
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(f"UPDATE {table} SET body = ''")


async def test_one_that_breaks_off_deletes_nothing(tmp_path: Path, clock: Clock) -> None:
    """Neither are the tables left open."""
    graph = SqliteRoleGraph(tmp_path / "graph.db", clock)
    rid = await fill(graph, "Acme")
    broken_id: Any = object()
    broken = AuditEntry.model_construct(
        at=NOW, actor="cli", action="x", target="Acme", company_id=broken_id, detail={}
    )
    with pytest.raises(Exception, match="object"):
        await graph.delete_company("Acme", broken)
    assert len(await graph.assessments(rid)) == 2
    await graph.close()
    with (
        sqlite3.connect(tmp_path / "graph.db") as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute("DELETE FROM history")
