"""Schema versions: `etter migrate`, and processes that refuse to work on another one."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from etter_dagster.api import create_app
from etter_dagster.model.errors import SchemaMismatch
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.role import CurrentAssessment, Role
from etter_dagster.model.staleness import basis_of
from etter_dagster.settings import Settings
from etter_dagster.stores import open_graph
from etter_dagster.stores.migrations import Migrated, migrate, require_schema
from etter_dagster.stores.neo4j_schema import MIGRATIONS as NEO4J_MIGRATIONS
from etter_dagster.stores.sqlite_graph_schema import MIGRATIONS
from etter_dagster_tests.contract.records import ASSESSOR, NOW, assessment
from etter_dagster_tests.servers.neo4j import Neo4jServer

NEWEST = len(MIGRATIONS)


def set_version(folder: Path, version: int, name: str = "graph.db") -> None:
    with sqlite3.connect(folder / name) as connection:
        connection.execute(f"PRAGMA user_version={version}")


@pytest.fixture
def older(tmp_path: Path) -> Settings:
    """A graph of version 1, outside development."""
    connection = sqlite3.connect(tmp_path / "graph.db")
    connection.executescript(MIGRATIONS[0])
    connection.close()
    set_version(tmp_path, 1)
    return Settings(data_dir=tmp_path, environment="staging", enable_mock_data=False)


async def test_new_stores_are_made_and_a_second_run_changes_nothing(settings: Settings) -> None:
    first = await migrate(settings)
    assert [store.store for store in first] == ["graph", "queue", "access", "ledger"]
    assert all(store.before == 0 < store.now for store in first)
    assert await migrate(settings) == [
        store.model_copy(update={"before": store.now}) for store in first
    ]


async def test_outside_development_an_older_store_is_refused_until_migrated(
    older: Settings,
) -> None:
    """Of a rolling deploy, the first new process must not change what old ones work on."""
    graph = open_graph(older)
    with pytest.raises(SchemaMismatch, match="run `etter migrate`"):
        await graph.count_roles()
    with pytest.raises(SchemaMismatch, match="run `etter migrate`"):
        await require_schema(older)
    assert (await migrate(older))[0] == Migrated(store="graph", before=1, now=NEWEST)
    await require_schema(older)
    assert await graph.count_roles() == 0
    await graph.close()


async def test_in_development_an_older_store_follows_by_itself(older: Settings) -> None:
    settings = older.with_changes(environment="development")
    await require_schema(settings)
    assert (await migrate(settings))[0].before == NEWEST


async def test_roles_of_an_older_store_are_counted_and_found(older: Settings) -> None:
    """What that takes stood only in the body of each role."""
    made = [
        Role(role_id="cr-new", company_id="Acme", role_name="New", created_at=NOW, updated_at=NOW),
        assessed("cr-ready", draup_role_name="D"),
        assessed("cr-by-id", draup_role_id="D", draup_role_name=""),
        assessed("cr-stale", draup_role_name="Öther"),
    ]
    with sqlite3.connect(older.data_dir / "graph.db") as connection:
        connection.executemany(
            "INSERT INTO roles (role_id, company_id, role_name, state, body) "
            "VALUES (?, ?, ?, ?, ?)",
            [(r.role_id, "Acme", r.role_name, r.state.value, r.model_dump_json()) for r in made],
        )
    await migrate(older)
    graph = open_graph(older)

    async def counted(assessor_key: str, seconds: int) -> dict[str, int]:
        found = await graph.count_states(
            "Acme", assessor_key=assessor_key, not_before=NOW + timedelta(seconds=seconds)
        )
        return {state.value: number for state, number in found.items()}

    assert await counted(ASSESSOR.key, 0) == {"draft": 1, "ready": 2, "stale": 1}
    assert await counted(ASSESSOR.key, 1) == {"draft": 1, "stale": 3}
    assert await counted("other", 0) == {"draft": 1, "stale": 3}
    assert [role.role_id for role in await graph.roles("Acme", q="ÖTH")] == ["cr-stale"]
    assert await graph.same_names("Acme", ["CR-READY"]) == ["cr-ready"]
    await graph.close()


def assessed(rid: str, **more: str) -> Role:
    """A ready role whose assessment was made of the Draup role D."""
    made = assessment(rid, jd_hash="")
    return Role(
        role_id=rid,
        company_id="Acme",
        role_name=rid,
        state=RoleStatus.READY,
        current=CurrentAssessment(
            assessment_id=made.assessment_id, final_score=40.0, basis=basis_of(made)
        ),
        created_at=NOW,
        updated_at=NOW,
        **more,
    )


async def test_a_newer_store_is_refused_everywhere(settings: Settings) -> None:
    await migrate(settings)
    set_version(settings.data_dir, 99)
    for refused in (require_schema(settings), migrate(settings)):
        with pytest.raises(SchemaMismatch, match="newer Etter"):
            await refused


async def test_rest_refuses_to_start_on_another_version(older: Settings) -> None:
    app = create_app(older)
    with pytest.raises(SchemaMismatch, match="run `etter migrate`"):
        async with app.router.lifespan_context(app):
            pass


async def test_a_store_that_is_away_does_not_stop_a_start(settings: Settings) -> None:
    """Requests are answered with 503 until it is back."""
    await require_schema(settings.with_changes(neo4j_uri="bolt://127.0.0.1:1"))


async def test_neo4j_is_migrated_by_the_same_command(
    neo4j: Neo4jServer, settings: Settings
) -> None:
    configured = neo4j.settings(settings)
    await require_schema(configured)
    (graph, *_) = await migrate(configured)
    assert graph.store == "graph"
    assert graph.before == graph.now > 0


async def test_roles_of_an_older_neo4j_are_counted_and_found(
    neo4j: Neo4jServer, settings: Settings
) -> None:
    """What that takes stood in no property of its own."""
    configured = neo4j.settings(settings)
    graph = open_graph(configured)
    role = await graph.put_role("Acme", "Registered  NURSE", draup_role_name="D")
    await graph.put_role("Acme", "Clerk")
    await graph.add_assessment(assessment(role.role_id, jd_hash=""), current=True)
    await graph.settle_role(role.role_id, RoleStatus.READY, workflow_id="w", token=1)
    await graph.close()
    new = ("inputs_hold", "assessor_key", "folded", "draup_folded")
    neo4j.query(f"MATCH (r:CompanyRole) REMOVE {', '.join(f'r.{name}' for name in new)}")
    neo4j.query("MATCH (m:SchemaMigration) WHERE m.number > 1 DELETE m")
    (migrated, *_) = await migrate(configured)
    assert (migrated.before, migrated.now) == (1, len(NEO4J_MIGRATIONS))
    graph = open_graph(configured)
    for key, state in ((ASSESSOR.key, RoleStatus.READY), ("other", RoleStatus.STALE)):
        counted = await graph.count_states("Acme", assessor_key=key, not_before=NOW)
        assert counted == {RoleStatus.DRAFT: 1, state: 1}
    assert await graph.count_roles("Acme", q="NUR") == 1
    assert await graph.same_names("Acme", ["CLERK"]) == ["Clerk"]
    await graph.close()
