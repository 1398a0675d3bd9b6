"""What is particular to the graph in Neo4j: errors, outages, schema, races, event loops."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from etter_dagster.model.errors import (
    ErrorCode,
    IllegalMove,
    LeaseLost,
    SchemaMismatch,
    StoreUnavailable,
)
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.skills import RoleSkill
from etter_dagster.onboarding.accept import accept
from etter_dagster.onboarding.serving import serve
from etter_dagster.onboarding.status import find_pushes
from etter_dagster.settings import Settings
from etter_dagster.stores import RoleGraph, neo4j_connection, open_graph
from etter_dagster.stores.neo4j_graph import Neo4jRoleGraph
from etter_dagster.stores.neo4j_schema import MIGRATIONS
from etter_dagster.stores.protocols import list_key
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.contract.records import assessment, document
from etter_dagster_tests.servers.neo4j import Neo4jServer, neo4j_server
from etter_dagster_tests.support import Recorder, ScriptedAssessor, order, scripted_services

RID = role_id("Acme", "Analyst")


@pytest.fixture
async def graph(neo4j: Neo4jServer, settings: Settings) -> AsyncIterator[RoleGraph]:
    opened = open_graph(neo4j.settings(settings))
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def own_server() -> Iterator[Neo4jServer]:
    """One that tests may kill, and start again."""
    with neo4j_server() as server:
        yield server


def process(server: Neo4jServer, act: str, *args: object) -> subprocess.Popen[str]:
    module = "etter_dagster_tests.stores.graph_process"
    command = [sys.executable, "-m", module, server.uri, act, *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def lines_of(running: subprocess.Popen[str]) -> list[str]:
    out, _ = running.communicate(timeout=150)
    assert running.returncode == 0
    return out.splitlines()


# -- errors ----------------------------------------------------------------------------
async def test_nobody_listening_is_an_error_and_no_silent_fall_back(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken:  # bound, not listening: nobody else gets the port
        taken.bind(("127.0.0.1", 0))
        uri = f"bolt://localhost:{taken.getsockname()[1]}"
        configured = settings.with_changes(neo4j_uri=uri, neo4j_password="hunter2")
        graph = open_graph(configured)
        for call in (graph.ping(), graph.role("x"), graph.put_role("Acme", "Analyst")):
            with pytest.raises(StoreUnavailable) as caught:
                await call
            assert "graph" in caught.value.message
            for secret in ("localhost", "127.0.0.1", "hunter2", str(taken.getsockname()[1])):
                assert secret not in str(caught.value)
                assert caught.value.__suppress_context__
                assert secret not in caplog.text
        await graph.close()
    assert not (settings.data_dir / "graph.db").exists()


async def test_a_wrong_password_is_unavailable_and_says_so_in_the_log_only(
    neo4j: Neo4jServer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    graph = open_graph(neo4j.settings(settings, neo4j_password="hunter2"))
    with caplog.at_level(logging.WARNING), pytest.raises(StoreUnavailable) as caught:
        await graph.put_role("Acme", "Analyst")
    await graph.close()
    assert caught.value.code is ErrorCode.STORE_UNAVAILABLE
    assert "Unauthorized" in caplog.text
    assert "hunter2" not in caplog.text + str(caught.value)


async def test_an_unknown_database_is_unavailable(neo4j: Neo4jServer, settings: Settings) -> None:
    graph = open_graph(neo4j.settings(settings, neo4j_database="nosuch"))
    with pytest.raises(StoreUnavailable):
        await graph.ping()
    await graph.close()


async def test_a_closed_graph_says_so(graph: RoleGraph) -> None:
    await graph.ping()
    await graph.close()
    with pytest.raises(StoreUnavailable):
        await graph.role(RID)


# -- schema ----------------------------------------------------------------------------
async def test_another_schema_version_is_refused_naming_the_remedy(
    neo4j: Neo4jServer, settings: Settings
) -> None:
    version = "MATCH (m:SchemaMigration) RETURN max(m.number) AS number"
    (current,) = (row["number"] for row in neo4j.query(version))
    try:
        neo4j.query("CREATE (:SchemaMigration {number: $n})", n=current + 1)
        graph = open_graph(neo4j.settings(settings))
        with pytest.raises(SchemaMismatch, match="newer Etter") as caught:
            await graph.put_role("Acme", "Analyst")
        assert not caught.value.recoverable
        with pytest.raises(SchemaMismatch, match="update Etter"):
            await Neo4jRoleGraph(neo4j.settings(settings), Clock()).migrate()
        neo4j.query("MATCH (m:SchemaMigration) DELETE m")
        with pytest.raises(SchemaMismatch, match="run `etter migrate`"):
            await graph.put_role("Acme", "Analyst")
        assert neo4j.query("MATCH (r:CompanyRole) RETURN r") == []
    finally:
        neo4j.query("MATCH (m:SchemaMigration) DELETE m")
        await asyncio.to_thread(neo4j.migrate)
    # The same object goes on as soon as somebody has migrated.
    await graph.put_role("Acme", "Analyst")
    await graph.close()


async def test_migrating_twice_and_at_the_same_time_changes_nothing(
    neo4j: Neo4jServer, settings: Settings
) -> None:
    """Every process of a deployment may run it."""
    names = "SHOW INDEXES YIELD name RETURN name ORDER BY name"
    before = neo4j.query(names)
    neo4j.query("MATCH (m:SchemaMigration) DELETE m")
    opened = [Neo4jRoleGraph(neo4j.settings(settings), Clock()) for _ in range(4)]
    versions = await asyncio.gather(*(graph.migrate() for graph in opened))
    newest = len(MIGRATIONS)
    assert {now for _, now in versions} == {newest}
    assert neo4j.query(names) == before
    numbers = neo4j.query("MATCH (m:SchemaMigration) RETURN m.number AS n ORDER BY n")
    assert numbers == [{"n": number} for number in range(1, newest + 1)]
    for graph in opened:
        await graph.close()


# -- writes together -------------------------------------------------------------------
async def test_writes_of_one_group_fail_alone(graph: RoleGraph) -> None:
    """Hundreds of roles share a transaction, yet each write is its own."""
    await graph.put_role("Acme", "Analyst", token=5)
    results = await asyncio.gather(
        graph.put_role("Acme", "B"),
        graph.move_role(RID, RoleStatus.READY),
        graph.settle_role(RID, RoleStatus.FAILED, workflow_id="late", token=4),
        graph.link_documents(RID, [document("JD")], token=5),
        graph.add_assessment(assessment(RID), current=True, token=5),
        graph.settle_role(RID, RoleStatus.READY, workflow_id="w", token=5),
        return_exceptions=True,
    )
    assert [type(r) for r in results[1:3]] == [IllegalMove, LeaseLost]
    assert not [r for r in results[:1] + results[3:] if isinstance(r, BaseException)]
    role = await graph.role(RID)
    assert role is not None
    assert (role.state, role.workflow_id) == (RoleStatus.READY, "w")
    assert role.jd_hash
    assert role.current is not None


async def test_what_the_database_refuses_takes_no_other_with_it(graph: RoleGraph) -> None:
    """A lone surrogate cannot be encoded; the roles that are written with it can."""
    bad = document("JD").model_copy(update={"content": "\ud800"})
    await graph.put_role("Acme", "Analyst")
    results = await asyncio.gather(
        graph.put_role("Acme", "B"),
        graph.link_documents(RID, [bad]),
        graph.put_role("Acme", "C"),
        return_exceptions=True,
    )
    assert [isinstance(r, UnicodeEncodeError) for r in results] == [False, True, False]
    assert await graph.count_roles() == 3
    await graph.put_role("Acme", "D")


async def test_a_cancelled_writer_does_not_take_its_write_back(graph: RoleGraph) -> None:
    await graph.ping()
    task = asyncio.create_task(graph.put_role("Acme", "Analyst"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await graph.put_role("Acme", "Next")
    assert await graph.count_roles() == 2


async def test_names_are_ordered_as_python_does(graph: RoleGraph) -> None:
    """A page that is ordered otherwise than its cursor loses roles; beyond U+FFFF too."""
    names = ["\U0001f600 Comedian", "\uffee Clerk", "Zoë", "Zoe", "a", "Z"]
    for name in names:
        await graph.put_role("Acme", name)
    for company in ("Acme", None):
        seen, after = [], ""
        for _ in names:
            (found,) = await graph.roles(company, after=after, limit=1)
            seen.append(found.role_name)
            after = list_key(found)
        assert seen == sorted(names)
        assert await graph.roles(company, after=after, limit=1) == []


async def test_repeated_skills_and_mappings_leave_one_relation(
    graph: RoleGraph, neo4j: Neo4jServer
) -> None:
    await graph.put_role("Acme", "Analyst", draup_role_name="One")
    await graph.put_role("Acme", "Analyst", draup_role_name="Two")
    for names in ("ab", "bc", "bc"):
        await graph.put_skills(RID, [RoleSkill(name=name) for name in names])
    (found,) = neo4j.query(
        "MATCH (r:CompanyRole)-[:MAPS_TO]->(d), (r)-[:REQUIRES_SKILL]->(s) "
        "RETURN collect(DISTINCT d.name) AS draup, collect(s.name) AS skills"
    )
    assert found["draup"] == ["Two"]
    assert sorted(found["skills"]) == ["b", "c"]


def test_one_graph_serves_several_event_loops(neo4j: Neo4jServer, settings: Settings) -> None:
    """A driver knows the loop that it was made in; a Dagster process makes one for each tick."""
    graph = open_graph(neo4j.settings(settings))

    async def act(n: int, close: bool) -> int:
        await asyncio.gather(*(graph.put_role("Acme", f"{n} {i}") for i in range(5)))
        count = await graph.count_roles()
        if close:
            await graph.close()
        return count

    assert asyncio.run(act(1, close=False)) == 5
    assert asyncio.run(act(2, close=True)) == 10


# -- races of processes ----------------------------------------------------------------
def test_processes_racing_on_an_empty_graph_make_each_role_once(neo4j: Neo4jServer) -> None:
    """They make the same roles at once; every role has one node and one number."""
    makers = [process(neo4j, "make", "Acme", 40) for _ in range(3)]
    made = [{tuple(line.split()) for line in lines_of(maker)} for maker in makers]
    assert made[0] == made[1] == made[2]
    assert len({number for _, number in made[0]}) == 40
    (found,) = neo4j.query(
        "MATCH (c:Company)-[:HAS_ROLE]->(r)-[:HAS_JOB_DESCRIPTION]->(d), "
        "(r)-[:HAS_ASSESSMENT]->(a), (r)-[:MAPS_TO]->(m) "
        "RETURN count(DISTINCT c) AS companies, count(DISTINCT r) AS roles, count(*) AS paths, "
        "count(DISTINCT m) AS draup"
    )
    assert found == {"companies": 1, "roles": 40, "paths": 40, "draup": 3}


def test_processes_racing_over_one_role_move_it_by_the_table_only(
    neo4j: Neo4jServer, settings: Settings
) -> None:
    """ready to stale is allowed once until somebody settles the role again."""

    async def prepare() -> None:
        graph = open_graph(neo4j.settings(settings))
        await graph.put_role("Acme", "Analyst")
        await graph.settle_role(RID, RoleStatus.READY, workflow_id="w", token=1)
        await graph.close()

    asyncio.run(prepare())
    racers = [process(neo4j, "toggle", RID, 150) for _ in range(3)]
    counts = [tuple(map(int, lines_of(racer)[0].split())) for racer in racers]
    stale, settled, refused = map(sum, zip(*counts, strict=True))
    assert stale == settled
    assert stale + refused == 450
    assert refused > 0, "they never met: the test shows nothing"


# -- outages ---------------------------------------------------------------------------
@pytest.mark.slow
async def test_a_killed_server_loses_nothing_acknowledged_and_is_found_again(
    own_server: Neo4jServer, settings: Settings
) -> None:
    """`kill -9` in the middle of writing; meanwhile calls are refused, and nothing of ours needs a
    restart.
    """
    graph = open_graph(own_server.settings(settings))
    await graph.ping()
    makers = [process(own_server, "make", name, 100_000) for name in ("A", "B")]
    acknowledged = []
    for maker in makers:
        assert maker.stdout is not None
        acknowledged += [maker.stdout.readline() for _ in range(30)]
    own_server.kill()
    for maker in makers:
        out, _ = maker.communicate(timeout=60)
        assert maker.returncode != 0, "the writer must hear of it"
        acknowledged += out.splitlines()
    for call in (graph.put_role("Acme", "x"), graph.role(RID), graph.ping()):
        with pytest.raises(StoreUnavailable):
            await call
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await graph.role(RID)
    assert time.monotonic() - begun < 5, "known to be away: no waiting again"

    await asyncio.to_thread(own_server.start)
    await graph.put_role("Acme", "x")
    await graph.ping()
    found = own_server.query(
        "MATCH (r:CompanyRole {state: 'ready'})-[:CURRENT_ASSESSMENT]->(), "
        "(r)-[:HAS_JOB_DESCRIPTION]->() RETURN r.role_id AS id"
    )
    wanted = {line.split()[0] for line in acknowledged}
    assert len(wanted) >= 60
    assert wanted <= {row["id"] for row in found}
    await graph.close()


@pytest.mark.slow
async def test_a_server_that_hangs_is_away_and_found_again(
    own_server: Neo4jServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen machine answers nothing, and no connection breaks."""
    graph = open_graph(own_server.settings(settings))
    await graph.put_role("Acme", "before")
    own_server.pause()
    try:
        with monkeypatch.context() as patched:
            patched.setattr(neo4j_connection, "_ANSWER_SECONDS", 0.5)
            for call in (graph.put_role("Acme", "x"), graph.role(RID), graph.ping()):
                with pytest.raises(StoreUnavailable):
                    await call
    finally:
        own_server.resume()
    await graph.put_role("Acme", "after")
    assert await graph.role(role_id("Acme", "before")) is not None
    await graph.close()


@pytest.mark.slow
async def test_a_serving_run_outlives_a_kill_of_the_graph(
    own_server: Neo4jServer, settings: Settings
) -> None:
    """All roles get ready, each with one assessment, in what people can query."""
    services = scripted_services(own_server.settings(settings), ScriptedAssessor(delay=0.05))
    pushes = [await accept(services, order(f"r{i}", "Survivors")) for i in range(60)]
    # However long the server takes to start, the run goes on claiming.
    working = asyncio.create_task(
        serve(
            services,
            worker="test",
            reporter=Recorder(),
            places=60,
            linger_seconds=0.0,
            claim_seconds=3600.0,
        )
    )
    while await services.graph.count_roles("Survivors") < 20:
        await asyncio.sleep(0.01)
    await asyncio.to_thread(own_server.kill)
    await asyncio.to_thread(own_server.start)
    await working
    found = await find_pushes(services, [push.workflow_id for push in pushes])
    assert {push.status for push in found.values()} == {WorkflowState.READY}
    (row,) = own_server.query(
        "MATCH (:Company {name: 'Survivors'})-[:HAS_ROLE]->(r {state: 'ready'})"
        "-[:CURRENT_ASSESSMENT]->(a)<-[:HAS_ASSESSMENT]-(r), (a)-[:COVERS]->(:Task), "
        "(r)-[:HAS_JOB_DESCRIPTION]->(d), (r)-[:HAD_PUSH]->(p {status: 'ready'}) "
        "RETURN count(DISTINCT r) AS roles, count(*) AS paths"
    )
    (made,) = own_server.query(
        "MATCH (a:Assessment) WHERE a.role_id STARTS WITH 'cr-survivors' RETURN count(a) AS n"
    )
    assert (row["roles"], row["paths"], made["n"]) == (60, 60, 60)
    await services.close()
