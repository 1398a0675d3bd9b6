"""The processes of `etter up`: REST, and Dagster's code server, webserver and daemon."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources

import httpx

from etter_dagster.cli.ports import free_port, wait_listening
from etter_dagster.cli.running import Running, announce
from etter_dagster.cli.supervisor import Program, Supervisor
from etter_dagster.settings import Settings

CODE_SECONDS = 30.0
READY_SECONDS = 120.0  # a cold start on a slow disk compiles a lot
_ASK_DAGSTER = """{ workspaceOrError { ... on Workspace { locationEntries {
  loadStatus locationOrLoadError { __typename } } } }
  instance { daemonHealth { allDaemonStatuses { daemonType healthy } } } }"""


@dataclass(frozen=True)
class Ports:
    """Where the processes listen."""

    rest: int
    dagster: int
    code: int

    @classmethod
    def free(cls, settings: Settings) -> Ports:
        """The usual ones, or others where those are taken."""
        return cls(
            free_port(settings.host, settings.port),
            free_port("127.0.0.1", settings.dagster_port),
            free_port("127.0.0.1"),
        )


class NotReady(Exception):
    """The service did not get ready in time; the message says what lacks."""


class Engine:
    """All processes of a service on this machine.

    Args:
        settings: As configured; the processes get them through their environment.
        say: Receives each line that a process writes, under the process's name.
    """

    def __init__(self, settings: Settings, say: Callable[[str, str], None]) -> None:
        self.ports = Ports.free(settings)
        self.settings = settings.with_changes(port=self.ports.rest, dagster_port=self.ports.dagster)
        self._supervisor = Supervisor(self._environment(), say)

    @property
    def running(self) -> Running:
        """Where it is."""
        return Running(self.settings.rest_base_url, self.settings.dagster_url, os.getpid())

    def start(self) -> None:
        """Starts the processes, and says where they are."""
        home = self.settings.dagster_home
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with resources.as_file(
            resources.files("etter_dagster.orchestration") / "dagster.yaml"
        ) as configured:
            shutil.copyfile(configured, home / "dagster.yaml")
        (home / "workspace.yaml").write_text(
            "load_from:\n"
            "  - grpc_server:\n"
            "      host: 127.0.0.1\n"
            f"      port: {self.ports.code}\n"
            "      location_name: etter\n"
        )
        first, then = self._programs()
        self._supervisor.start(first)
        # Webserver and daemon look for the code once at their start, and complain at length.
        wait_listening("127.0.0.1", self.ports.code, CODE_SECONDS)
        self._supervisor.start(then)
        announce(self.settings, self.running)

    def tend(self) -> None:
        """Starts again what has ended. Call it often."""
        self._supervisor.tend()

    def wait_ready(self) -> None:
        """Returns when pushes are taken and worked on.

        Raises:
            NotReady: Not within two minutes.
        """
        deadline = time.monotonic() + READY_SECONDS
        while lacks := self._lacks():
            if time.monotonic() > deadline:
                raise NotReady(f"not ready after {READY_SECONDS:g} s: {lacks}")
            self.tend()
            time.sleep(0.1)

    def stop(self) -> None:
        """Ends all processes."""
        self._supervisor.stop()

    def _lacks(self) -> str | None:
        """What is not there yet, or None."""
        try:
            health = httpx.get(f"{self.settings.rest_base_url}/api/v1/pipeline/health", timeout=5)
        except httpx.HTTPError:
            return "the REST service does not answer"
        if health.status_code != httpx.codes.OK:
            return "the REST service is not healthy"
        try:
            asked = httpx.post(
                f"{self.settings.dagster_url}/graphql", json={"query": _ASK_DAGSTER}, timeout=5
            )
            data = asked.json()["data"]
            entries = data["workspaceOrError"]["locationEntries"]
            daemons = data["instance"]["daemonHealth"]["allDaemonStatuses"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return "Dagster's webserver does not answer"
        if not any(
            (entry["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation"
            for entry in entries
        ):
            return "Dagster has not loaded Etter's definitions"
        alive = {daemon["daemonType"] for daemon in daemons if daemon["healthy"]}
        return None if "SENSOR" in alive else "the Dagster daemon has no heartbeat"

    def _environment(self) -> dict[str, str]:
        settings = self.settings
        return {
            **{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONUNBUFFERED": "1",
            "DAGSTER_HOME": str(settings.dagster_home),
            "ETTER_DAGSTER_HOME": str(settings.dagster_home),
            "ETTER_DATA_DIR": str(settings.data_dir),
            "ETTER_HOST": settings.host,
            "ETTER_PORT": str(settings.port),
            "ETTER_DAGSTER_PORT": str(settings.dagster_port),
        }

    def _programs(self) -> tuple[list[Program], list[Program]]:
        """Those that need nothing of ours, then those that need the code server."""
        python = [sys.executable, "-m"]
        workspace = ["-w", str(self.settings.dagster_home / "workspace.yaml")]
        local = ["--host", "127.0.0.1"]
        return (
            [
            Program(
                "code",
                [*python, "dagster", "api", "grpc", *local, "--port", str(self.ports.code),
                 "--module-name", "etter_dagster.definitions", "--location-name", "etter",
                 "--log-level", "warning"],
            ),
            Program(
                "rest",
                [*python, "uvicorn", "etter_dagster.api:app", "--host", self.settings.host,
                 "--port", str(self.ports.rest), "--log-level", "warning",
                 "--timeout-graceful-shutdown", "3"],
            ),
            ],
            [
            Program(
                "dagster",
                [*python, "dagster_webserver", *local, "--port", str(self.ports.dagster),
                 *workspace, "--log-level", "warning"],
            ),
            Program(
                "daemon",
                [*python, "dagster._daemon", "run", *workspace, "--log-level", "warning"],
            ),
            ],
        )  # fmt: skip
