"""What a file says now: read again when it changed, so that nobody has to start anew for it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")
# A file can change twice within one tick of its clock: a change so young is looked at again.
_YOUNG_SECONDS = 2.0
_Look = tuple[int, int, int, int]


class WatchedFile(Generic[T]):
    """Looks at the file at each use, which costs microseconds, and reads it when it is another.

    Args:
        path: The file.
        read: Reads and checks it; what it raises holds, too, till the file changes.
    """

    def __init__(self, path: Path, read: Callable[[Path], T]) -> None:
        self._path = path
        self._act = read
        self._seen: tuple[_Look | None, T | Exception] | None = None

    def read(self) -> T:
        """What the file says now; raises what its reader raises."""
        look, seen = self._look(), self._seen
        if seen is None or seen[0] != look or _young(look):
            self._seen = seen = look, self._read()
        found = seen[1]
        if isinstance(found, Exception):
            raise found.with_traceback(None)
        return found

    def _read(self) -> T | Exception:
        try:
            return self._act(self._path)
        except Exception as error:
            return error

    def _look(self) -> _Look | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


def _young(look: _Look | None) -> bool:
    return look is not None and abs(time.time() - look[2] / 1e9) < _YOUNG_SECONDS
