"""What the starters of servers have in common: free ports, one server for all workers of a run."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock

READY_SECONDS = 120.0  # everything can be several times slower than measured


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_until(what: str, ready: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
    """Waits until a condition holds.

    Raises:
        TimeoutError: It did not in time.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come about within {seconds} s")
        time.sleep(0.05)


def start_guarded(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Starts a server that ends when this test run does, even if it is killed."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    owner = os.getppid() if worker else os.getpid()
    guard = [sys.executable, "-m", "etter_dagster_tests.servers.guard", str(owner), str(folder)]
    return subprocess.Popen(
        [*guard, *command], stdin=subprocess.DEVNULL, start_new_session=True, cwd=Path.cwd()
    )


def end_guarded(guard: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Ends a guarded server by a signal; its folder stays, so it can be started again."""
    server = psutil.Process(guard.pid).children()
    # The guard first: it would remove the folder.
    guard.kill()
    guard.wait()
    for process in server:
        process.send_signal(how)
    _, alive = psutil.wait_procs(server, timeout=READY_SECONDS / 2)
    for process in alive:
        if process.status() != psutil.STATUS_ZOMBIE:
            process.kill()


def once_per_run(
    factory: pytest.TempPathFactory, name: str, start: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """What `start` gave to the first worker of this test run that asked.

    Args:
        factory: Knows the folder that the workers share.
        name: Of the server.
        start: Starts it; gives what the others need to know of it, as JSON can say it.
    """
    said = _folder(factory) / f"{name}.json"
    with FileLock(f"{said}.lock"):
        if not said.exists():
            said.write_text(json.dumps(start()))
    found: dict[str, Any] = json.loads(said.read_text())
    return found


@contextmanager
def held_by_one_test(factory: pytest.TempPathFactory, name: str) -> Iterator[None]:
    """Waits until no other worker of this test run has a server for itself."""
    with FileLock(_folder(factory) / f"{name}.held.lock"):
        yield


def _folder(factory: pytest.TempPathFactory) -> Path:
    """What all workers of this test run share."""
    base = factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
