"""Notices that any process committed something to a SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time

_POLL_SECONDS = 0.02


class Changes:
    """A counter that rises when the file changes, and waiting for it.

    SQLite tells nobody; `PRAGMA data_version` (microseconds, no I/O beyond shared memory) says
    whether another connection committed. One task an event loop asks it for all that wait there.

    Args:
        connection: A connection of its own that never writes.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._version = -1
        self._counter = 0
        self._asked = 0.0
        self._closed = False
        self._look()

    async def wait(self, since: int, timeout: float) -> int:
        """Waits until the counter is above `since`, at most `timeout` seconds.

        Args:
            since: What the last call gave; 0 for the present counter.
            timeout: Seconds; 0 or less gives the counter at once.

        Returns:
            The counter now.
        """
        counter = self._look()
        since = since or counter
        deadline = time.monotonic() + timeout
        while counter <= since and (left := deadline - time.monotonic()) > 0 and not self._closed:
            await asyncio.sleep(min(_POLL_SECONDS, left))
            counter = self._look()
        return counter

    def close(self) -> None:
        """Ends the waits."""
        with self._lock:
            self._closed = True
            self._connection.close()

    def _look(self) -> int:
        with self._lock:
            now = time.monotonic()
            # Thousands of waiting clients share one look.
            if self._closed or now - self._asked < _POLL_SECONDS / 4:
                return self._counter
            self._asked = now
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
            if version != self._version:
                self._version = version
                self._counter += 1
            return self._counter
