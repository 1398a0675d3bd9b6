"""Real processes for the tests of `etter up`: stand-ins for its programs, and looking at them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from etter_dagster.cli.supervisor import Program
from etter_dagster_tests.servers.shared import free_port

WAIT_SECONDS = 60.0  # for what happens in a moment on a machine that is not busy

# Each writes its process id where the test can read it.
WAITS = "import time; time.sleep(600)"
DEAF = """
import signal, time
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
time.sleep(600)
"""


def python(name: str, folder: Path, code: str) -> Program:
    """A program that appends its process id to `folder/name` and then does what `code` says."""
    mark = f"import os; open({str(folder / name)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
    return Program(name, [sys.executable, "-S", "-c", mark + textwrap.dedent(code)])


def pids(folder: Path, *names: str) -> list[int]:
    """The ids that programs of these names have written, whole lines only."""
    found = []
    for name in names:
        path = folder / name
        text = path.read_text() if path.exists() else ""
        found += [int(line) for line in text.split("\n")[:-1]]
    return found


def eventually(
    holds: Callable[[], object], what: str, seconds: float = WAIT_SECONDS, *, every: float = 0.02
) -> None:
    """Waits until something holds; a look that costs much is better taken less often."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(every)


def lives(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def left(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; a zombie has ended and waits for whoever inherited it."""
    return [process for process in processes if process.is_running() and lives(process.pid)]


def own_ports() -> dict[str, str]:
    """Settings of an `etter up` that has nothing to do with what this machine runs besides."""
    return {"ETTER_PORT": str(free_port()), "ETTER_DAGSTER_PORT": str(free_port())}


@contextmanager
def started(
    command: Sequence[str],
    *,
    env: dict[str, str] | None = None,
    log: Path,
    cwd: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own group for the time of a block, killed at its end if it still runs."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            list(command),
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(WAIT_SECONDS)
