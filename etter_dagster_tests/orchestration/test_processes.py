"""Run workers as processes: told to stop they give their leases back, killed they are replaced."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import httpx
import pytest
import yaml

from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push
from etter_dagster.onboarding.accept import accept, accept_many
from etter_dagster.onboarding.roles import define_role
from etter_dagster.onboarding.services import Services
from etter_dagster.orchestration.partitions import add_partitions
from etter_dagster.settings import Settings
from etter_dagster.stores.protocols import PushFilter
from etter_dagster_tests.cli.processes import eventually, started
from etter_dagster_tests.orchestration.looking import failed, materialized
from etter_dagster_tests.servers.shared import free_port
from etter_dagster_tests.support import order, scripted_services

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

T = TypeVar("T")
LOCATION = "etter_dagster_tests.orchestration.slow_location"
ROLES = 6
NAMES = [f"R{n}" for n in range(ROLES)]
FOR_EVER = 3600.0


@dataclass
class Machine:
    """A data folder with roles that wait, and processes that may work on them."""

    settings: Settings
    home: Path

    @property
    def calls(self) -> list[str]:
        """Roles whose assessment was begun, by any process."""
        path = self.home / "calls"
        return path.read_text().split() if path.exists() else []

    def environment(self, **changes: str) -> dict[str, str]:
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("ETTER_")},
            "ETTER_DATA_DIR": str(self.settings.data_dir),
            "ETTER_ENABLE_MOCK_DATA": "false",
            "ETTER_LEASE_SECONDS": "600",
            "ETTER_LINGER_SECONDS": "0",
            "DAGSTER_HOME": str(self.home),
            "TEST_DELAY": str(FOR_EVER),
            "TEST_CALLS": str(self.home / "calls"),
            **changes,
        }

    def dagster(
        self, *words: str, **changes: str
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "dagster", *words, "-m", LOCATION]
        return started(
            command, env=self.environment(**changes), log=self.home / f"{time.time_ns()}.log"
        )

    def serving(self, **changes: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
        return self.dagster("job", "execute", "-j", "onboard_roles", **changes)

    def work(self, act: Callable[[Services], Awaitable[T]]) -> T:
        async def run() -> T:
            services = scripted_services(self.settings)
            try:
                return await act(services)
            finally:
                await services.close()

        return asyncio.run(run())

    def pushes(self) -> list[Push]:
        """All pushes, wherever they are."""

        async def look(services: Services) -> list[Push]:
            where = PushFilter()
            here = await services.queue.list_pushes(where, cursor=None, limit=200)
            ended = await services.graph.list_history(where, cursor=None, limit=200)
            return [*here.items, *ended.items]

        return self.work(look)

    def given_back(self) -> bool:
        """Whether all pushes wait again, and none of them lost an attempt."""
        pushes = self.pushes()
        return len(pushes) == ROLES and all(
            p.status is WorkflowState.QUEUED and p.attempts == 0 for p in pushes
        )

    def assessments(self) -> Counter[tuple[str, str]]:
        with sqlite3.connect(self.settings.data_dir / "graph.db") as connection:
            return Counter(
                connection.execute("SELECT role_id, inputs_hash FROM assessments").fetchall()
            )


@pytest.fixture
def machine(settings: Settings, home: Path) -> Machine:
    return Machine(settings, home)


async def push_all(services: Services) -> None:
    for answer in await accept_many(services, [order(name) for name in NAMES]):
        assert not isinstance(answer, Exception), answer


async def define_all(services: Services) -> None:
    """Drafts that a partition run can work on."""
    documents = order().documents
    for name in NAMES:
        await define_role(
            services, "Acme", name, draup_role_name="Data Analyst", documents=documents
        )


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM] * 3], ids=str)
def test_a_serving_run_told_to_stop_gives_its_leases_back(
    machine: Machine, signals: list[signal.Signals]
) -> None:
    """At once, without losing an attempt; also when whoever tells it has no patience."""
    machine.work(push_all)
    with machine.serving() as process:
        eventually(lambda: len(machine.calls) == ROLES, "all roles are being assessed")
        for number in signals:
            process.send_signal(number)
        eventually(lambda: process.poll() is not None, "it ends, long before its leases do")
    assert machine.given_back()
    with machine.serving(TEST_DELAY="0") as process:
        assert process.wait(120) == 0
    assert {p.status for p in machine.pushes()} == {WorkflowState.READY}
    assert set(machine.assessments().values()) == {1}


def test_what_failed_before_a_serving_run_was_told_to_stop_shows_as_failed(
    machine: Machine,
) -> None:
    """A worker is told to end at each deploy; of a cancelled run Dagster shows nothing failed."""

    async def push(services: Services) -> None:
        await accept(services, order("Bad"))

    machine.work(push_all)
    machine.work(push)
    with machine.serving() as process:
        eventually(lambda: len(machine.calls) == ROLES, "all others are being assessed")
        failed_one = WorkflowState.FAILED
        eventually(lambda: failed_one in {p.status for p in machine.pushes()}, "one has failed")
        process.send_signal(signal.SIGTERM)
        eventually(lambda: process.poll() is not None, "it ends, long before its leases do")
    with dg.DagsterInstance.get() as instance:
        assert failed(instance, "ai_assessment") == {role_id("Acme", "Bad")}


def test_a_partition_run_told_to_stop_gives_its_leases_back(machine: Machine) -> None:
    """Its pushes wait in the queue like any other, and the next serving run takes them."""
    machine.work(define_all)
    keys = [role_id("Acme", name) for name in NAMES]
    with dg.DagsterInstance.get() as instance:
        add_partitions(instance, keys)
    span = f"{keys[0]}...{keys[-1]}"
    with machine.dagster(
        "asset", "materialize", "--select", "group:roles", "--partition-range", span
    ) as process:
        eventually(lambda: len(machine.calls) == ROLES, "all roles are being assessed")
        process.send_signal(signal.SIGTERM)
        eventually(lambda: process.poll() is not None, "it ends, long before its leases do")
    assert machine.given_back()


def test_what_a_killed_run_held_is_done_once_by_the_next(machine: Machine) -> None:
    """`kill -9`: leases lapse, another run claims, no role is assessed twice into the record."""
    machine.work(push_all)
    lease = {"ETTER_LEASE_SECONDS": "2", "ETTER_ROLES_PER_RUN": "2"}
    with machine.serving(TEST_DELAY="0.4", **lease) as process:
        eventually(lambda: len(machine.calls) >= 4, "the first two are done")
        process.kill()
        process.wait(30)
    done = [p for p in machine.pushes() if p.status is WorkflowState.READY]
    assert 0 < len(done) < ROLES, "it was not killed in its middle"
    with machine.serving(TEST_DELAY="0", ETTER_LINGER_SECONDS="3", **lease) as process:
        assert process.wait(120) == 0
    pushes = machine.pushes()
    assert len(pushes) == ROLES
    assert {p.status for p in pushes} == {WorkflowState.READY}
    assert max(p.attempts for p in pushes) == 2
    assert len(machine.assessments()) == ROLES
    assert set(machine.assessments().values()) == {1}
    with dg.DagsterInstance.get() as instance:
        assert materialized(instance, "skills_profile") == {role_id("Acme", n) for n in NAMES}


# -- through the webserver: the process that the launcher starts --------------------------------
LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}"""
TERMINATE = """
mutation ($id: String!) {
  terminateRun(runId: $id, terminatePolicy: SAFE_TERMINATE) {
    __typename ... on TerminateRunFailure { message } ... on PythonError { message }
  }
}"""
STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


class Webserver:
    """Dagster's webserver over the slow location; its runs are launched with no queue of runs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        request = {"query": query, "variables": variables}
        answer: dict[str, Any] = httpx.post(f"{self.url}/graphql", json=request, timeout=60).json()
        assert "errors" not in answer, answer
        (found,) = answer["data"].values()
        return dict(found)

    def up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/server_info", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def launch(self) -> str:
        params = {
            "selector": {
                "repositoryLocationName": "slow",
                "repositoryName": "__repository__",
                "jobName": "onboard_roles",
            },
            "runConfigData": {},
        }
        answer = self.ask(LAUNCH, params=params)
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def status(self, run_id: str) -> str:
        return str(self.ask(STATUS, id=run_id)["status"])


@contextmanager
def webserver(machine: Machine) -> Iterator[Webserver]:
    config = machine.home / "dagster.yaml"
    ours = yaml.safe_load(config.read_text())
    del ours["concurrency"]
    # The queue of runs needs the daemon, which is not here.
    ours["run_coordinator"] = {
        "module": "dagster._core.run_coordinator",
        "class": "DefaultRunCoordinator",
    }
    config.write_text(yaml.safe_dump(ours))
    workspace = machine.home / "workspace.yaml"
    where = {"module_name": LOCATION, "location_name": "slow"}
    workspace.write_text(yaml.safe_dump({"load_from": [{"python_module": where}]}))
    port = free_port()
    command = [
        sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port),
        "-w", str(workspace),
    ]  # fmt: skip
    log = machine.home / "webserver.log"
    with started(command, env=machine.environment(), log=log) as process:
        server = Webserver(f"http://127.0.0.1:{port}")
        eventually(lambda: server.up() or process.poll() is not None, "the webserver answers", 120)
        assert process.poll() is None, log.read_text()
        try:
            yield server
        finally:
            process.terminate()
            process.wait(60)
            with suppress(ProcessLookupError):  # its code server, while a run of it still works
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize(("how", "ends"), [("terminate", "CANCELED"), ("sigterm", "FAILURE")])
def test_a_launched_run_told_to_stop_gives_its_leases_back(
    machine: Machine, how: str, ends: str
) -> None:
    """Whether a person ends it in Dagster or the machine ends its process."""
    machine.work(push_all)
    with webserver(machine) as server:
        run_id = server.launch()
        eventually(lambda: len(machine.calls) == ROLES, "all roles are being assessed")
        began = time.monotonic()
        if how == "terminate":
            assert server.ask(TERMINATE, id=run_id)["__typename"] == "TerminateRunSuccess"
        else:
            os.kill(worker_of(run_id), signal.SIGTERM)
        eventually(machine.given_back, "its leases are given back")
        print(f"{how}: given back after {time.monotonic() - began:.2f} s")
        eventually(lambda: server.status(run_id) == ends, f"the run is {ends}")


def worker_of(run_id: str) -> int:
    """The process of a run, as the run's own log names it."""
    with dg.DagsterInstance.get() as instance:
        for record in instance.all_logs(run_id):
            if found := re.search(r"\(pid: (\d+)\)", record.message):
                return int(found[1])
    raise AssertionError("the run's log names no process")
