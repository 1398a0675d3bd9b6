"""Etter over real servers, as processes: Dagster's daemon and any number of `etter worker`s."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import yaml

from etter_dagster.cli.engine import configure_dagster
from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.onboarding.accept import accept_many
from etter_dagster.onboarding.check import PushOrder
from etter_dagster.onboarding.services import Services, open_services
from etter_dagster.onboarding.status import find_pushes
from etter_dagster.settings import Settings
from etter_dagster_tests.cli.processes import eventually
from etter_dagster_tests.servers.neo4j import Neo4jServer
from etter_dagster_tests.servers.redis import RedisServer
from etter_dagster_tests.servers.shared import free_port

T = TypeVar("T")
_END_SECONDS = 60.0


@dataclass
class Stack:
    """The processes of one deployment, and its stores.

    Args:
        settings: Of the stores and of the work; the processes get them as environment.
        variables: The environment that says the same.
    """

    settings: Settings
    variables: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    dagster_port: int = field(default_factory=free_port)

    def daemon(self) -> subprocess.Popen[bytes]:
        """Dagster's daemon, with the code in a process of its own."""
        words = ["-m", "dagster._daemon", "run", "-w", self._workspace()]
        return self._start("daemon", [sys.executable, *words])

    def webserver(self) -> subprocess.Popen[bytes]:
        """Dagster's webserver, once it answers."""
        words = ["-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(self.dagster_port)]
        process = self._start("webserver", [sys.executable, *words, "-w", self._workspace()])

        def answers() -> bool:
            assert process.poll() is None, self.logs()
            with suppress(httpx.HTTPError):
                return httpx.get(f"{self.dagster}/server_info", timeout=5).is_success
            return False

        eventually(answers, "Dagster answers", 180)
        return process

    def graphql(self, query: str, **variables: object) -> dict[str, Any]:
        """What the webserver answers."""
        request = {"query": query, "variables": variables}
        answer = httpx.post(f"{self.dagster}/graphql", json=request, timeout=120).json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    @property
    def dagster(self) -> str:
        """Where the webserver is."""
        return f"http://127.0.0.1:{self.dagster_port}"

    def _workspace(self) -> str:
        """Dagster's folder, configured; gives the file that names our code."""
        home = self.settings.dagster_home
        home.mkdir(parents=True, exist_ok=True)
        configure_dagster(home, self.settings)
        module = {"module_name": "etter_dagster.definitions", "location_name": "etter"}
        file = home / "workspace.yaml"
        file.write_text(yaml.safe_dump({"load_from": [{"python_module": module}]}))
        return str(file)

    def worker(self, *, concurrency: int = 2, grace: float = 300.0) -> subprocess.Popen[bytes]:
        """An `etter worker`."""
        etter = str(Path(sys.executable).with_name("etter"))
        words = ["worker", "--concurrency", str(concurrency), "--grace", str(grace)]
        return self._start("worker", [etter, *words])

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Ends a process and all that it started, as hard as can be."""
        started = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for child in started:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        process.wait(_END_SECONDS)

    def logs(self) -> str:
        """What the processes wrote, for a failed test."""
        files = sorted(self.settings.data_dir.glob("*.log"))
        return "\n".join(f"== {file.name}\n{file.read_text()[-3000:]}" for file in files)

    def work(self, act: Callable[[Services], Awaitable[T]]) -> T:
        """Does something with the stores."""

        async def run() -> T:
            services = open_services(self.settings)
            try:
                return await act(services)
            finally:
                await services.close()

        return asyncio.run(run())

    def push(self, orders: Sequence[PushOrder]) -> list[str]:
        """Puts orders on the queue; gives their workflow ids."""

        async def act(services: Services) -> list[str]:
            answers = await accept_many(services, orders)
            wrong = [answer for answer in answers if isinstance(answer, Exception)]
            assert not wrong, wrong[0]
            return [answer.workflow_id for answer in answers]  # type: ignore[union-attr]

        return self.work(act)

    def states(self, workflow_ids: Sequence[str]) -> Counter[WorkflowState]:
        """How many pushes are in which state."""

        async def act(services: Services) -> Counter[WorkflowState]:
            found = await find_pushes(services, workflow_ids)
            return Counter(push.status for push in found.values())

        try:
            return self.work(act)
        except StoreUnavailable:  # killed by the test just now
            return Counter()

    def wait_ready(self, workflow_ids: Sequence[str], share: float = 1.0) -> None:
        """Waits until so many of the pushes are ready; a failed one ends the waiting."""
        wanted = share * len(workflow_ids)

        def enough() -> bool:
            assert self.processes[0].poll() is None, self.logs()
            states = self.states(workflow_ids)
            assert not states[WorkflowState.FAILED], self.logs()
            return states[WorkflowState.READY] >= wanted

        try:
            eventually(enough, f"{wanted:g} ready", 600, every=0.25)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.states(workflow_ids)}\n{self.logs()}") from None

    def end(self) -> None:
        """Ends all processes: in good order where they can, else hard."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS / 4)
            with suppress(ProcessLookupError):  # code servers outlive a daemon
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(_END_SECONDS)

    def _start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        log = self.settings.data_dir / f"{name}-{time.time_ns()}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                list(command),
                env=self.variables,
                cwd=self.settings.data_dir,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.processes.append(process)
        return process


@contextmanager
def stack(
    folder: Path,
    redis: RedisServer,
    postgres_url: str,
    neo4j: Neo4jServer | None = None,
    **settings: str,
) -> Iterator[Stack]:
    """A deployment over these servers, with no process yet; all are ended with the block.

    Args:
        folder: For what machines keep for themselves.
        redis: Queue, and broker in another database.
        postgres_url: Dagster's storage.
        neo4j: The graph; without it, a file.
        settings: More, by the names of the environment without prefix.
    """
    password = redis.options["requirepass"]
    given = {
        "DATA_DIR": str(folder),
        "ENABLE_MOCK_DATA": "false",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(redis.port),
        "REDIS_PASSWORD": password,
        "DAGSTER_POSTGRES_URL": postgres_url,
        "RUN_LAUNCHER": "celery",
        "CELERY_BROKER_URL": f"redis://:{password}@127.0.0.1:{redis.port}/1",
        "LEASE_SECONDS": "5",
        **(neo4j.variables if neo4j else {}),
        **settings,
    }
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("ETTER_", "DAGSTER_"))}
    variables = outside | {f"ETTER_{name}": value for name, value in given.items()}
    variables["DAGSTER_HOME"] = str(folder / "dagster")
    named: dict[str, Any] = {name.lower(): value for name, value in given.items()}
    made = Stack(Settings(**named), variables)
    try:
        yield made
    finally:
        made.end()
