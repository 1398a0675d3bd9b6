"""PostgreSQL killed under the runs; a run terminated in Dagster; a worker whose grace is over."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import find_pushes
from etter_dagster_tests.acceptance.dagster_shows import every_role_is_materialized
from etter_dagster_tests.cli.processes import eventually
from etter_dagster_tests.servers.postgres import PostgresServer, postgres_server
from etter_dagster_tests.servers.redis import RedisServer
from etter_dagster_tests.servers.stack import Stack, stack
from etter_dagster_tests.standin.app import create_standin
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.standin.state import ASSESS, StandinState
from etter_dagster_tests.support import order

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
LEASE = 600.0  # so long that no lease lapses within a test: what comes back was given back
SERVING = "{ runsOrError(filter: {statuses: [STARTED]}) { ... on Runs { results { runId } } } }"
STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
TERMINATE = """mutation($id: String!) {
  terminateRun(runId: $id) { __typename ... on PythonError { message } }
}"""


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


def pushes(running: Stack, ids: list[str]) -> list[Push]:
    async def act(services: Services) -> list[Push]:
        return list((await find_pushes(services, ids)).values())

    return running.work(act)


def assessed(running: Stack, ids: list[str]) -> Counter[int]:
    """How many roles have how many assessments."""

    async def act(services: Services) -> Counter[int]:
        found = await find_pushes(services, ids)
        return Counter([len(await services.graph.assessments(p.role_id)) for p in found.values()])

    return running.work(act)


def test_postgres_is_killed_under_the_runs_and_every_role_is_ready_once(
    tmp_path: Path, redis: RedisServer, own_postgres: PostgresServer
) -> None:
    """Dagster's storage is no authority over roles; what it missed it is told later."""
    roles = 80
    with stack(tmp_path, redis, own_postgres.url, ROLES_PER_RUN="20", MAX_RUNS="2") as running:
        running.daemon()
        running.worker()
        ids = running.push([order(f"role {i}", f"company {i % 3}") for i in range(roles)])
        running.wait_ready(ids, 0.2)
        own_postgres.restart()
        running.wait_ready(ids)
        assert assessed(running, ids) == {1: roles}
        every_role_is_materialized(running, [push.role_id for push in pushes(running, ids)])


def test_a_terminated_run_and_a_worker_whose_grace_is_over_give_their_roles_back(
    tmp_path: Path, redis: RedisServer, postgres_url: str
) -> None:
    """At once, without the lease's lapse, and at no attempt; whoever is next makes them ready."""
    state = StandinState(delay=3600)
    with (
        serving(create_standin(state)) as url,
        stack(
            tmp_path,
            redis,
            postgres_url,
            ASSESSOR="workflow_api",
            WORKFLOW_API_BASE_URL=url,
            LEASE_SECONDS=str(LEASE),
            MAX_RUNS="1",
        ) as running,
    ):
        running.daemon()
        running.webserver()
        first = running.worker(concurrency=1, grace=1)
        ids = running.push([order(f"role {i}") for i in range(3)])

        def held_by() -> set[str | None]:
            found = pushes(running, ids)
            waiting = any(p.status is not WorkflowState.PROCESSING for p in found)
            return set() if waiting else {push.run_id for push in found}

        eventually(lambda: len(held_by()) == 1 and state.count(ASSESS) == 3, "all are sent", 240)
        (run,) = held_by()
        answer = running.graphql(TERMINATE, id=run)["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess", answer
        eventually(
            lambda: running.graphql(STATUS, id=run)["runOrError"]["status"] == "CANCELED",
            "Dagster shows that the run was terminated",
            120,
        )
        eventually(lambda: held_by() not in (set(), {run}), "another run holds all", 240)

        first.send_signal(signal.SIGTERM)
        assert first.wait(120) == 0, running.logs()
        assert {push.status for push in pushes(running, ids)} == {WorkflowState.QUEUED}

        state.delay = 0
        running.worker(concurrency=1)
        running.wait_ready(ids)
        assert {push.attempts for push in pushes(running, ids)} == {1}
        assert assessed(running, ids) == {1: 3}
