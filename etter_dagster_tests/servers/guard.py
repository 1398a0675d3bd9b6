"""Runs a server as long as a process lives: `python -m ... OWNER_PID FOLDER COMMAND...`.

pytest's workers share servers, and any of them may end first or be killed. So the server belongs
to the process that started the test run: when that is gone, the server is ended and its folder
removed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

import psutil


def main(owner: int, folder: str, command: list[str]) -> None:
    """Starts the command and waits for its own end or the owner's."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    nothing = subprocess.DEVNULL
    server = subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing)
    try:
        watched = psutil.Process(owner)
        while watched.is_running() and watched.status() != psutil.STATUS_ZOMBIE:
            if server.poll() is not None:
                break
            time.sleep(0.5)
    except psutil.NoSuchProcess:
        pass
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
