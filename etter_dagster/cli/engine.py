"""The processes of `etter up`: REST, and Dagster's code server, webserver and daemon."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import httpx

from etter_dagster.cli.dagster_web import DagsterWeb
from etter_dagster.cli.ports import ClaimedPort, claim_port, is_listening
from etter_dagster.cli.running import Running, announce
from etter_dagster.cli.supervisor import Program, Supervisor
from etter_dagster.model.errors import FieldProblem, ValidationFailed
from etter_dagster.settings import Settings

LOCAL = "127.0.0.1"
READY_SECONDS = 120.0  # a cold start on a slow disk compiles a lot
_OURS = "# Dagster's instance, "
TRIES = 3  # of a program before it is ready; what ends at once then ends each time


@dataclass(frozen=True)
class Ports:
    """Where the processes listen, and the claims on that."""

    rest: int
    dagster: int
    code: int
    claims: tuple[ClaimedPort, ...]

    @classmethod
    def claim(cls, settings: Settings) -> Ports:
        """The usual ones, or others where those are taken.

        Raises:
            ValidationFailed: The host is not this machine.
        """
        try:
            rest = claim_port(settings.host, settings.port)
        except OSError as error:
            what = f"{settings.host} is no address of this machine ({error.strerror})"
            raise ValidationFailed(FieldProblem("ETTER_HOST", what)) from error
        dagster, code = claim_port(LOCAL, settings.dagster_port), claim_port(LOCAL)
        return cls(rest.number, dagster.number, code.number, (rest, dagster, code))

    def release(self) -> None:
        """Others may use them."""
        for claim in self.claims:
            claim.release()


class NotReady(Exception):
    """The service did not get ready in time; the message says what lacks."""


class Engine:
    """All processes of a service on this machine.

    Args:
        settings: As configured; the processes get them through their environment.
        say: Receives each line that a process writes, under the process's name.
    """

    def __init__(self, settings: Settings, say: Callable[[str, str], None]) -> None:
        self.ports = Ports.claim(settings)
        self.settings = settings.with_changes(port=self.ports.rest, dagster_port=self.ports.dagster)
        self._say = say
        lock = settings.data_dir / "processes.lock"
        self._supervisor = Supervisor(self._environment(), say, lock)
        self._dagster = DagsterWeb(f"http://{LOCAL}:{self.ports.dagster}")
        self._started = 0.0
        self._later: list[Program] = []

    @property
    def running(self) -> Running:
        """Where it is."""
        return Running(self.settings.rest_base_url, self.settings.dagster_url, os.getpid())

    def start(self) -> None:
        """Starts the first processes, and says where the service will be."""
        home = self.settings.dagster_home
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not configure_dagster(home, self.settings):
            self._say("etter", f"{home}/dagster.yaml is yours and is left as it is")
        (home / "workspace.yaml").write_text(
            "load_from:\n"
            "  - grpc_server:\n"
            f"      host: {LOCAL}\n"
            f"      port: {self.ports.code}\n"
            "      location_name: etter\n"
        )
        self._started = time.time()
        first, self._later = self._programs()
        self._supervisor.start(first)
        announce(self.settings, self.running)

    def tend(self) -> None:
        """Starts again what has ended. Call it often."""
        self._supervisor.tend()

    def wait_ready(self, stop: threading.Event) -> bool:
        """Returns when pushes are taken and worked on; False if told to stop before.

        Args:
            stop: Ends the waiting.

        Raises:
            NotReady: Not within two minutes, or a program ends each time it is started.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not stop.wait(0.1):
            self.tend()
            lacks = self._lacks()
            if lacks is None:
                return True
            if failing := self._supervisor.failing(TRIES):
                raise NotReady(f"'{failing}' does not start; the log says why")
            if time.monotonic() > deadline:
                raise NotReady(f"not ready after {READY_SECONDS:g} s: {lacks}")
        return False

    def stop(self) -> None:
        """Ends the runs in work, then all processes."""
        if is_listening(LOCAL, self.ports.dagster):
            self._dagster.end_runs()
        self._supervisor.stop()
        self.ports.release()

    def _lacks(self) -> str | None:
        """What is not there yet, or None."""
        # Webserver and daemon look for the code once at their start, and complain at length.
        if not is_listening(LOCAL, self.ports.code):
            return "Dagster's code server does not answer"
        later, self._later = self._later, []
        self._supervisor.start(later)
        return self._rest_lacks() or self._dagster.lacks(self._started)

    def _rest_lacks(self) -> str | None:
        try:
            health = httpx.get(f"{self.settings.rest_base_url}/api/v1/pipeline/health", timeout=5)
        except httpx.HTTPError:
            return "the REST service does not answer"
        return None if health.status_code == httpx.codes.OK else "the REST service is not healthy"

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
        local = ["--host", LOCAL]
        form = "json" if self.settings.log_format == "json" else "colored"
        dagster_logs = ["--log-level", "warning", "--log-format", form]
        return (
            [
            Program(
                "code",
                [*python, "dagster", "api", "grpc", *local, "--port", str(self.ports.code),
                 "--module-name", "etter_dagster.definitions", "--location-name", "etter",
                 *dagster_logs],
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
                [*python, "etter_dagster.orchestration.webserver", *local,
                 "--port", str(self.ports.dagster), *workspace, *dagster_logs],
            ),
            Program(
                "daemon",
                [*python, "dagster._daemon", "run", *workspace, *dagster_logs],
            ),
            *self._workers(),
            ],
        )  # fmt: skip

    def _workers(self) -> list[Program]:
        """One that takes runs, where runs are not processes of Dagster's own."""
        if self.settings.run_launcher != "celery":
            return []
        etter = "from etter_dagster.cli import main; main()"
        runs = str(min(64, self.settings.max_runs + 1))  # a place for runs by hand
        return [Program("worker", [sys.executable, "-c", etter, "worker", "--concurrency", runs])]


def configure_dagster(home: Path, settings: Settings) -> bool:
    """Puts Etter's `dagster.yaml` into Dagster's folder; False if somebody's own is there.

    Args:
        home: The folder, which exists.
        settings: How runs are launched.

    Raises:
        ValidationFailed: One of another Etter is there, and cannot be replaced.
    """
    name = "dagster-celery.yaml" if settings.run_launcher == "celery" else "dagster.yaml"
    ours = resources.files("etter_dagster.orchestration").joinpath(name).read_text()
    path = home / "dagster.yaml"
    # Ours, perhaps of an earlier version or for another launcher, begins with the same words.
    found = path.read_text() if path.exists() else None
    if found is not None and not found.startswith(_OURS):
        return False
    if found != ours:  # in a container it is there, on a file system that is read-only
        try:
            path.write_text(ours)
        except OSError as error:
            what = f"{path} is not as this Etter needs it, and cannot be written ({error.strerror})"
            raise ValidationFailed(FieldProblem("DAGSTER_HOME", what)) from error
    return True
