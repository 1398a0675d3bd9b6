"""A worker with small limits and formats that misbehave; run as a program by `test_pool.py`."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from types import ModuleType

from etter_dagster.extraction import worker


def spin(data: bytes) -> str:
    while True:
        pass


def sleep(data: bytes) -> str:
    time.sleep(3600)
    return ""


def eat(data: bytes) -> str:
    return "x" * len(bytearray(4 * 1024**3))


def crash(data: bytes) -> str:
    os.kill(os.getpid(), signal.SIGSEGV)
    return ""


def talk(data: bytes) -> str:
    return "x" * (64 * 1024 * 1024)


def echo(data: bytes) -> str:
    return data.decode()


def environment(data: bytes) -> str:
    return " ".join(sorted(os.environ))


def write(data: bytes) -> str:
    with open(data.decode(), "w") as file:
        file.write("x")
    return ""


def stop_worker(data: bytes) -> str:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(3600)
    return ""


FORMATS: tuple[Callable[[bytes], str], ...] = (
    spin,
    sleep,
    eat,
    crash,
    talk,
    echo,
    environment,
    write,
    stop_worker,
)

if __name__ == "__main__":
    for text in FORMATS:
        module = ModuleType(text.__name__)
        module.text = text  # type: ignore[attr-defined]
        sys.modules[f"etter_dagster.extraction.{text.__name__}"] = module
    worker.CPU_SECONDS = 1  # type: ignore[attr-defined]
    worker.WALL_SECONDS = float(sys.argv[1])  # type: ignore[attr-defined]
    worker.main()
