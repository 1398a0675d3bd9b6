"""The processes of `etter up`, with stand-ins for its programs: none may be left behind, ever."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from etter_dagster.cli.supervisor import GuardFailed, Program, Supervisor
from etter_dagster_tests.cli.processes import (
    DEAF,
    WAITS,
    eventually,
    lives,
    pids,
    python,
    started,
)

# A program that starts another, as Dagster's code server starts a process per run.
LAUNCHES = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-S", "-c", {child!r}])
open({mark!r}, "a").write(f"{{child.pid}}\\n")
child.wait()
"""
# A parent as `etter up` is one; it does nothing but tend.
PARENT = """
import sys, time
from pathlib import Path
from etter_dagster.cli.supervisor import Supervisor
from etter_dagster_tests.cli.processes import DEAF, WAITS, python
folder = Path(sys.argv[1])
supervisor = Supervisor({{}}, lambda name, line: None, grace_seconds=0.2)
supervisor.start([
    python("waits", folder, WAITS), python("deaf", folder, DEAF),
    python("launches", folder, {launches!r}),
])
while True:
    supervisor.tend()
    time.sleep(0.02)
"""


class Lines:
    """What was said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def __call__(self, name: str, line: str) -> None:
        self.said.append((name, line))


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def supervisor(lines: Lines) -> Iterator[Supervisor]:
    supervisor = Supervisor(dict(os.environ), lines, grace_seconds=0.2, first_pause=0.01)
    yield supervisor
    supervisor.stop()


def launches(folder: Path) -> str:
    return LAUNCHES.format(child=DEAF, mark=str(folder / "run"))


def test_stopping_ends_the_deaf_and_the_runs_that_programs_started(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    """A Dagster run is a child of the code server: it must not outlive `etter up`."""
    supervisor.start(
        [
            python("waits", tmp_path, WAITS),
            python("deaf", tmp_path, DEAF),
            python("launches", tmp_path, launches(tmp_path)),
        ]
    )
    eventually(
        lambda: len(pids(tmp_path, "waits", "deaf", "launches", "run")) == 4, "all have started"
    )
    supervisor.stop()
    assert not [p for p in pids(tmp_path, "waits", "deaf", "launches", "run") if lives(p)]


def test_a_program_that_ends_is_started_again_and_it_is_said(
    tmp_path: Path, supervisor: Supervisor, lines: Lines
) -> None:
    supervisor.start([python("ends", tmp_path, "raise SystemExit(3)")])

    def ran_three_times() -> bool:
        supervisor.tend()
        return len(pids(tmp_path, "ends")) >= 3

    eventually(ran_three_times, "started three times")
    said = [line for name, line in lines.said if name == "ends"]
    assert said[0] == "ended (exit code 3); starts again in 0.01 s"
    assert said[1] == "ended (exit code 3); starts again in 0.02 s"
    assert supervisor.failing(2) == "ends"
    assert supervisor.failing(100) is None


def test_what_a_program_writes_is_passed_on_under_its_name(
    supervisor: Supervisor, lines: Lines
) -> None:
    supervisor.start([Program("rest", [sys.executable, "-c", "print('ready ü')"])])
    eventually(lambda: ("rest", "ready ü") in lines.said, "the line is said")


def test_a_program_that_cannot_be_started_is_said_and_tried_again(
    supervisor: Supervisor, lines: Lines
) -> None:
    """An interpreter replaced under a running `etter up` must not take the others down."""
    supervisor.start([Program("gone", ["/no/such/program"])])

    def said_twice() -> bool:
        supervisor.tend()
        return sum(name == "gone" for name, _ in lines.said) >= 2

    eventually(said_twice, "said twice")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_however_the_parent_dies_no_process_is_left(tmp_path: Path, how: signal.Signals) -> None:
    """`kill -9` gives the parent no chance: the guard sees its pipe close."""
    parent = PARENT.format(launches=launches(tmp_path))
    names = ("waits", "deaf", "launches", "run")
    with started(
        [sys.executable, "-c", parent, str(tmp_path)], log=tmp_path / "parent.log"
    ) as process:
        eventually(lambda: len(pids(tmp_path, *names)) == 4, "all have started")
        process.send_signal(how)
        process.wait(60)
        eventually(lambda: not any(lives(p) for p in pids(tmp_path, *names)), "all have ended")


def test_without_its_guard_it_does_not_go_on(tmp_path: Path, supervisor: Supervisor) -> None:
    """Else a later kill of the parent would leave processes behind."""
    supervisor.start([python("waits", tmp_path, WAITS)])
    eventually(lambda: pids(tmp_path, "waits"), "it has started")
    os.kill(supervisor.group, signal.SIGKILL)

    def notices() -> bool:
        try:
            supervisor.tend()
        except GuardFailed:
            return True
        return False

    eventually(notices, "it notices")
    supervisor.stop()
    assert not any(lives(p) for p in pids(tmp_path, "waits"))


def test_a_new_one_waits_for_the_processes_of_the_one_before(
    tmp_path: Path, supervisor: Supervisor, lines: Lines
) -> None:
    """Started again at once after a `kill -9`, two Dagster daemons would run side by side."""
    parent = PARENT.format(launches=launches(tmp_path)).replace(
        "grace_seconds=0.2", f"lock=Path({str(tmp_path / 'lock')!r}), grace_seconds=1.0"
    )
    with started(
        [sys.executable, "-c", parent, str(tmp_path)], log=tmp_path / "parent.log"
    ) as process:
        eventually(lambda: len(pids(tmp_path, "deaf", "run")) == 2, "all have started")
        process.kill()
        process.wait(60)
    supervisor.lock = tmp_path / "lock"
    assert any(lives(p) for p in pids(tmp_path, "deaf", "run"))
    supervisor.start([python("next", tmp_path, WAITS)])
    assert not any(lives(p) for p in pids(tmp_path, "waits", "deaf", "launches", "run"))
