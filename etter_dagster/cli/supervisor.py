"""Keeps child processes running, and ends all of them together. Knows nothing of what they do."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_STEADY_SECONDS = 60.0  # a child that ran so long starts with the first pause again
_KILLED_BY_NOW_SECONDS = 15.0


@dataclass(frozen=True)
class Program:
    """What to run, by the name that its lines are shown under."""

    name: str
    command: Sequence[str]


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    started: float
    pause: float = _FIRST_PAUSE
    start_again_at: float | None = None


@dataclass
class Supervisor:
    """Runs programs in one process group, starts those that end again, and ends them all.

    Args:
        environment: Of all programs.
        say: Receives each line that a program writes, under the program's name.
    """

    environment: Mapping[str, str]
    say: Callable[[str, str], None]
    _children: list[_Child] = field(default_factory=list)
    _guard: subprocess.Popen[bytes] | None = None
    _readers: list[threading.Thread] = field(default_factory=list)

    def start(self, programs: Sequence[Program]) -> None:
        """Starts programs, the group's guard before the first."""
        if self._guard is None:
            self._start_guard()
        for program in programs:
            self._children.append(_Child(program, self._run(program), time.monotonic()))

    def _start_guard(self) -> None:
        guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py"))],
            stdin=subprocess.PIPE,
            preexec_fn=os.setpgrp,
        )
        self._guard = guard

    def tend(self) -> None:
        """Starts what has ended again, each time after a longer pause. Call it often.

        Raises:
            RuntimeError: The guard was killed, so a kill of this process would leave orphans.
        """
        if self._guard is not None and self._guard.poll() is not None:
            raise RuntimeError("the guard of the processes was killed; ending them all")
        now = time.monotonic()
        for child in self._children:
            if child.start_again_at is None and child.process.poll() is not None:
                if now - child.started > _STEADY_SECONDS:
                    child.pause = _FIRST_PAUSE
                self.say(
                    child.program.name,
                    f"ended ({_how(child.process.returncode)}); starts again in {child.pause:g} s",
                )
                child.start_again_at = now + child.pause
                child.pause = min(_LONGEST_PAUSE, child.pause * 2)
            elif child.start_again_at is not None and now >= child.start_again_at:
                child.process, child.started = self._run(child.program), now
                child.start_again_at = None

    def stop(self) -> None:
        """Ends all processes of the group, also those that the programs have started."""
        guard, self._guard = self._guard, None
        if guard is None:
            return
        assert guard.stdin is not None
        guard.stdin.close()
        deadline = time.monotonic() + _KILLED_BY_NOW_SECONDS
        while time.monotonic() < deadline and guard.poll() is None:
            for child in self._children:
                child.process.poll()  # so that none stays a zombie
            time.sleep(0.02)
        for child in self._children:
            child.process.wait(_KILLED_BY_NOW_SECONDS)
        guard.wait(_KILLED_BY_NOW_SECONDS)
        for reader in self._readers:
            reader.join(1.0)

    def _run(self, program: Program) -> subprocess.Popen[bytes]:
        assert self._guard is not None
        group = self._guard.pid
        process = subprocess.Popen(
            list(program.command),
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: os.setpgid(0, group),
        )
        assert process.stdout is not None
        reader = threading.Thread(
            target=self._read, args=(program.name, process.stdout), daemon=True
        )
        reader.start()
        self._readers.append(reader)
        return process

    def _read(self, name: str, lines: IO[bytes]) -> None:
        for line in lines:
            self.say(name, line.decode(errors="replace").rstrip())


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
