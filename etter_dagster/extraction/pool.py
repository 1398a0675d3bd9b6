"""The few child processes that read documents, started when needed and used again."""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Literal

from etter_dagster.extraction.verdicts import (
    TEXT,
    TOO_MUCH,
    WALL_SECONDS,
    TooMuchText,
    Unreadable,
    receive,
    send,
)

Format = Literal["pdf", "docx", "html"]
WORKERS = 2
_PATIENCE_SECONDS = 30.0  # beyond the worker's own bound; then it is the worker that hangs
_COMMAND = (sys.executable, "-m", "etter_dagster.extraction.worker")


class Pool:
    """Reads documents in child processes; may be called from any thread.

    Args:
        workers: How many documents are read at once; more wait.
        command: Starts a worker.
        patience: Seconds after which a worker that does not answer is killed.
    """

    def __init__(
        self,
        workers: int = WORKERS,
        command: Sequence[str] = _COMMAND,
        patience: float = WALL_SECONDS + _PATIENCE_SECONDS,
    ) -> None:
        self._command = tuple(command)
        self._patience = patience
        self._places = threading.BoundedSemaphore(workers)
        self._workers = workers
        self._idle: list[subprocess.Popen[bytes]] = []
        # The pipes of a process belong to it alone, never to its forks as well.
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.close)

    def text(self, format_: str, data: bytes) -> str:
        """The text of a document, as Markdown where it has structure.

        Args:
            format_: What it is.
            data: The document; HTML in UTF-8.

        Raises:
            Unreadable: It cannot be read.
            TooMuchText: It holds too much text.
        """
        # Being idle, workers end by themselves: all that wait may have, and the next is a new one.
        for _ in range(self._workers + 1):
            with contextlib.suppress(EOFError, OSError), self._worker() as worker:
                return _exchange(worker, format_, data, self._patience)
        raise Unreadable("cannot be read here now: the process that reads it died; try again")

    @contextlib.contextmanager
    def _worker(self) -> Iterator[subprocess.Popen[bytes]]:
        with self._places:
            worker = self._take()
            try:
                yield worker
            except (Unreadable, TooMuchText):
                self._idle.append(worker)
                raise
            except BaseException:
                _end(worker)
                raise
            self._idle.append(worker)

    def _take(self) -> subprocess.Popen[bytes]:
        try:
            return self._idle.pop()
        except IndexError:
            return _start(self._command)

    def _forget(self) -> None:
        self._places = threading.BoundedSemaphore(self._workers)
        self._idle = []

    def close(self) -> None:
        """Ends the idle processes."""
        while self._idle:
            _end(self._idle.pop())


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    # No secret of this process's environment is within a document's reach.
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath}
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    for pipe in (worker.stdin, worker.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    worker.wait()


def _exchange(worker: subprocess.Popen[bytes], format_: str, data: bytes, patience: float) -> str:
    if worker.stdin is None or worker.stdout is None:
        raise EOFError
    watch = threading.Timer(patience, worker.kill)
    watch.daemon = True
    watch.start()
    try:
        send(worker.stdin, format_.encode(), data)
        kind, found = receive(worker.stdout), receive(worker.stdout).decode()
    finally:
        watch.cancel()
    if kind == TEXT:
        return found
    if kind == TOO_MUCH:
        raise TooMuchText
    raise Unreadable(found)


_pool = Pool()


def text_of(format_: Format, data: bytes) -> str:
    """The text of a document, through this process's pool; as `Pool.text`.

    Args:
        format_: What it is.
        data: The document; HTML in UTF-8.

    Raises:
        Unreadable: It cannot be read.
        TooMuchText: It holds too much text.
    """
    return _pool.text(format_, data)
