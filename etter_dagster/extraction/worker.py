"""The child process: reads documents from standard input, forks once for each, and answers.

It holds the libraries loaded, so that a document costs a fork and not a start of Python. What goes
wrong with a document ends its fork alone.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from types import ModuleType

from etter_dagster.extraction.verdicts import (
    CPU_SECONDS,
    MAX_TEXT_BYTES,
    MEMORY_BYTES,
    MIB,
    TEXT,
    TOO_MUCH,
    UNREADABLE,
    WALL_SECONDS,
    TooMuchText,
    Unreadable,
    receive,
    send,
)

IDLE_SECONDS = 60.0  # then it ends; the next document starts another
_MEMORY = f"needs more than {MEMORY_BYTES // MIB} MiB of memory to be read; give its text"
_TIME = "takes more than {} seconds to be read; give its text"
_CHUNK = 64 * 1024


def main() -> None:
    """Serves until standard input ends, or nothing came for a while."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends quietly with its group
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    with contextlib.suppress(EOFError, BrokenPipeError):
        while select.select([stdin], [], [], IDLE_SECONDS)[0]:
            format_, data = receive(stdin).decode(), receive(stdin)
            send(stdout, *answer(format_, data))


def answer(format_: str, data: bytes) -> tuple[bytes, bytes]:
    """What a fork found in the document: a kind of answer, and the text or the reason.

    Args:
        format_: `pdf`, `docx` or `html`.
        data: The document.
    """
    module = importlib.import_module(f"etter_dagster.extraction.{format_}")
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        _work(module, data, writable)
    os.close(writable)
    with os.fdopen(readable, "rb", buffering=0) as pipe:
        found, ended = _all_of(pipe.fileno(), time.monotonic() + WALL_SECONDS)
    if not ended:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if ended and status == 0:
        kind, _, rest = found.partition(b"\n")
        return kind, rest
    if len(found) > MAX_TEXT_BYTES:
        return TOO_MUCH, b""
    if not ended:
        return UNREADABLE, _TIME.format(f"{WALL_SECONDS:g}").encode()
    killed_for_time = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
    return UNREADABLE, (_TIME.format(CPU_SECONDS) if killed_for_time else _MEMORY).encode()


def _all_of(pipe: int, deadline: float) -> tuple[bytes, bool]:
    """What is written, and whether that was the end: not when time was over or it was too much."""
    found = bytearray()
    while len(found) <= MAX_TEXT_BYTES + _CHUNK:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            break
        chunk = os.read(pipe, _CHUNK)
        if not chunk:
            return bytes(found), True
        found += chunk
    return bytes(found), False


def _work(module: ModuleType, data: bytes, writable: int) -> None:
    """The fork's life; it never returns."""
    code = 1
    try:
        os.closerange(0, 2)  # the service's pipes: it must see the end when the worker dies
        signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS + 1)  # ends it, also without the worker
        _limit()
        kind, found = _read(module.text, data)
        with os.fdopen(writable, "wb") as pipe:
            pipe.write(kind + b"\n" + found.encode("utf-8", "replace"))
        code = 0
    finally:
        os._exit(code)


def _read(text: Callable[[bytes], str], data: bytes) -> tuple[bytes, str]:
    try:
        return TEXT, text(data)
    except Unreadable as error:
        return UNREADABLE, str(error)
    except TooMuchText:
        return TOO_MUCH, ""
    except MemoryError:
        return UNREADABLE, _MEMORY


def _limit() -> None:
    """Bounds of this process; it never gets them back."""
    for limit, soft, hard in (
        (resource.RLIMIT_AS, MEMORY_BYTES, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS, CPU_SECONDS + 1),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # not every system knows each of them
            resource.setrlimit(limit, (soft, hard))


if __name__ == "__main__":
    main()
