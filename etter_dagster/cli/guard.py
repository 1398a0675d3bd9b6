"""Ends a process group when the process that started it ends, however that ends.

Run as a program, `guard.py GRACE_SECONDS [LOCK]`, leader of the group that the children of
`etter up` join. Its standard input is a pipe whose other end only `etter up` holds: when that
closes (a normal end, or `kill -9`), it asks all of the group to end, waits, and kills what is
left. Standard library only: it starts at once.

It holds LOCK till its group has ended, and says `guarding` once it has it: so a new service waits
for the processes of the one before, and never runs beside them.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from pathlib import Path


def others(group: int) -> list[int]:
    """Living processes of a group but this one; zombies have ended and only wait to be noticed."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may hold anything; the fields behind it do not.
            state, _, its_group = entry.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(its_group) == group and state not in "ZX" and int(entry.parent.name) != os.getpid():
            found.append(int(entry.parent.name))
    return found


def main() -> None:
    """Waits for the end of standard input, then ends the group."""
    grace_seconds = float(sys.argv[1])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    group = os.getpgrp()
    if group != os.getpid():
        raise SystemExit("guard: not the leader of its group")
    if len(sys.argv) > 2:
        lock = Path(sys.argv[2]).open("a")  # noqa: SIM115  held till this process ends
        fcntl.flock(lock, fcntl.LOCK_EX)
    os.write(1, b"guarding\n")
    while sys.stdin.buffer.read(1024):
        pass
    os.killpg(group, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    # Where there is no /proc (macOS) nobody is seen, so all get the whole time.
    can_see = Path("/proc/self/stat").exists()
    while time.monotonic() < deadline and (not can_see or others(group)):
        time.sleep(0.05)
    if not can_see or others(group):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
