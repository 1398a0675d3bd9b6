"""Starting the service as people do, as processes on a free port; they are always ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from etter_dagster_tests.servers.shared import free_port

START_SECONDS = 90.0
STOP_SECONDS = 20.0  # the contract's time for everything to end after SIGTERM
HOST_APP = """
from fastapi import FastAPI
from etter_dagster.api import create_app, router

included = FastAPI()
included.include_router(router, prefix="/some/where")

mounted = FastAPI()
mounted.mount("/etter", create_app())
"""


@dataclass(frozen=True)
class Way:
    """A way to run the service: arguments of `python -m`, and where its routes are."""

    arguments: tuple[str, ...]
    prefix: str = "/api/v1/pipeline"


@dataclass(frozen=True)
class Server:
    """A running service."""

    url: str
    prefix: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> int:
        """Asks it to end, as a process manager does; gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


def _uvicorn(app: str, *more: str) -> tuple[str, ...]:
    return ("uvicorn", app, "--host", "127.0.0.1", "--port", "PORT", *more)


WAYS = {
    "uvicorn": Way(_uvicorn("etter_dagster.api:app", "--workers", "4")),
    "gunicorn": Way(
        (
            *("gunicorn", "etter_dagster.api:app", "--bind", "127.0.0.1:PORT", "--workers", "2"),
            *("--worker-class", "uvicorn.workers.UvicornWorker"),
        )
    ),
    "included": Way(_uvicorn("host_app:included"), "/some/where"),
    "mounted": Way(_uvicorn("host_app:mounted"), "/etter/api/v1/pipeline"),
}


@contextmanager
def running(way: Way, folder: Path) -> Iterator[Server]:
    """Runs the service over embedded stores in `folder`; nothing of it is left afterwards.

    Args:
        way: How.
        folder: The test's own, with its data.
    """
    (folder / "host_app.py").write_text(HOST_APP)
    (folder / "metrics").mkdir()
    port = free_port()
    environment = {
        **os.environ,
        "ETTER_DATA_DIR": str(folder),
        "ETTER_ENABLE_MOCK_DATA": "false",
        "ETTER_DAGSTER_PORT": "9",
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "PYTHONPATH": os.pathsep.join((str(folder), str(Path(__file__).parents[2]))),
    }
    arguments = [argument.replace("PORT", str(port)) for argument in way.arguments]
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(f"http://127.0.0.1:{port}", way.prefix, process, log)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        _end(process)


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            if httpx.get(f"{server.url}{server.prefix}/health", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{server.log.read_text()[-3000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # its session is its own
    process.wait()
