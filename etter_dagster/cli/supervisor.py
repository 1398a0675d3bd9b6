"""Keeps child processes running, and ends all of them together. Knows nothing of what they do."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

_LONGEST_PAUSE = 30.0
_STEADY_SECONDS = 60.0  # a child that ran so long starts with the first pause again
_AFTER_GRACE_SECONDS = 5.0  # killing takes no time; a machine may be busy
_LOCKED_SECONDS = 15.0  # the processes of an earlier one are killed by then


class GuardFailed(Exception):
    """The guard of the processes cannot do its work, so none may run; the message says why."""


@dataclass(frozen=True)
class Program:
    """What to run, by the name that its lines are shown under."""

    name: str
    command: Sequence[str]


@dataclass
class _Child:
    program: Program
    pause: float
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_again_at: float | None = None
    ends: int = 0


@dataclass
class Supervisor:
    """Runs programs in one process group, starts those that end again, and ends them all.

    Args:
        environment: Of all programs.
        say: Receives each line that a program writes, under the program's name.
        lock: A file that the group's guard holds locked: as long as processes of an earlier
            supervisor with the same file are still ending, `start` waits. None: no lock.
        grace_seconds: From asking all to end till killing those that have not.
        first_pause: Seconds before a program that ended is started again; doubled each time.
    """

    environment: Mapping[str, str]
    say: Callable[[str, str], None]
    lock: Path | None = None
    grace_seconds: float = 4.0
    first_pause: float = 0.5
    _children: list[_Child] = field(default_factory=list)
    _guard: subprocess.Popen[bytes] | None = None
    _readers: list[threading.Thread] = field(default_factory=list)

    def start(self, programs: Sequence[Program]) -> None:
        """Starts programs, the group's guard before the first.

        Raises:
            GuardFailed: Processes of an earlier supervisor hold the lock and do not end.
        """
        if self._guard is None:
            self._start_guard()
        for program in programs:
            child = _Child(program, self.first_pause)
            self._children.append(child)
            self._run(child)

    def _start_guard(self) -> None:
        guard = [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py"))]
        lock = [str(self.lock)] if self.lock else []
        self._guard = subprocess.Popen(
            [*guard, str(self.grace_seconds), *lock],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=os.setpgrp,
        )
        assert self._guard.stdout is not None
        heard, _, _ = select.select([self._guard.stdout], [], [], _LOCKED_SECONDS)
        if not heard:
            raise GuardFailed(
                f"processes of an earlier etter up still hold {self.lock} and do not end; "
                "find them with: ps -ef | grep etter_dagster"
            )
        if not self._guard.stdout.readline():
            raise GuardFailed("the guard of the processes ended at once")

    @property
    def group(self) -> int:
        """The process group, which has the id of its guard."""
        assert self._guard is not None, "not started"
        return self._guard.pid

    def tend(self) -> None:
        """Starts what has ended again, each time after a longer pause. Call it often.

        Raises:
            GuardFailed: It was killed, so a kill of this process would leave orphans.
        """
        if self._guard is not None and self._guard.poll() is not None:
            raise GuardFailed("the guard of the processes was killed; ending them all")
        now = time.monotonic()
        for child in self._children:
            if child.start_again_at is not None:
                if now >= child.start_again_at:
                    self._run(child)
            elif child.process is not None and child.process.poll() is not None:
                if now - child.started > _STEADY_SECONDS:
                    child.pause = self.first_pause
                self._run_later(child, f"ended ({_how(child.process.returncode)})")

    def stop(self) -> None:
        """Ends all processes of the group, also those that the programs have started."""
        guard, self._guard = self._guard, None
        if guard is None:
            return
        assert guard.stdin is not None
        guard.stdin.close()
        self._reap_until(lambda: guard.poll() is not None, self.grace_seconds)
        if self._alive() or guard.poll() is None:
            # Only if the guard itself was killed or stopped: it ends with what it guards.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(guard.pid, signal.SIGKILL)
            guard.kill()
            self._reap_until(lambda: not self._alive(), 0.0)
        guard.wait()
        for reader in self._readers:
            reader.join(1.0)

    def _reap_until(self, ended: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds + _AFTER_GRACE_SECONDS
        while not ended() and time.monotonic() < deadline:
            self._alive()  # so that none stays a zombie
            time.sleep(0.02)

    def _alive(self) -> list[_Child]:
        return [c for c in self._children if c.process is not None and c.process.poll() is None]

    def _run(self, child: _Child) -> None:
        group = self.group
        child.start_again_at, child.started = None, time.monotonic()
        try:
            child.process = subprocess.Popen(
                list(child.program.command),
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                preexec_fn=lambda: os.setpgid(0, group),
            )
        except (OSError, subprocess.SubprocessError) as error:
            # An upgrade under a running service; the others go on.
            self._run_later(child, f"cannot be started ({error})")
            return
        reader = threading.Thread(
            target=self._read, args=(child.program.name, child.process.stdout), daemon=True
        )
        reader.start()
        self._readers = [*(r for r in self._readers if r.is_alive()), reader]

    def failing(self, ends: int) -> str | None:
        """The name of a program that has ended at least so many times, if there is one.

        Args:
            ends: How often.
        """
        return next((c.program.name for c in self._children if c.ends >= ends), None)

    def _run_later(self, child: _Child, what: str) -> None:
        child.ends += 1
        self.say(child.program.name, f"{what}; starts again in {child.pause:g} s")
        child.start_again_at = time.monotonic() + child.pause
        child.pause = min(_LONGEST_PAUSE, child.pause * 2)

    def _read(self, name: str, lines: IO[bytes]) -> None:
        with lines:
            for line in lines:
                self.say(name, line.decode(errors="replace").rstrip())


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
