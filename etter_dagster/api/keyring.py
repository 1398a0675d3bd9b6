"""The keys of `API_KEYS_FILE` as one process holds them: read again when the file changes."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

from etter_dagster.model.api_keys import ApiKey
from etter_dagster.settings_keys import KeysFileError, read_keys

log = logging.getLogger(__name__)
# A file can change twice within one tick of its clock: a change so young is looked at again.
_YOUNG_SECONDS = 2.0
_Look = tuple[int, int, int, int]


class Keyring:
    """Looks at the file at each use, which costs microseconds, and reads it when it is another.

    A file that became unreadable or broken shuts nobody out: the last good keys stay. A service
    does not start with such a file (`settings_start`).

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: tuple[ApiKey, ...] = ()
        self._seen: _Look | None = None
        self.problem: str | None = None
        self._fresh = True

    @property
    def keys(self) -> tuple[ApiKey, ...]:
        """The keys that count now."""
        look = self._look()
        if self._fresh or look != self._seen or _young(look):
            self._read()
            self._seen, self._fresh = look, False
        return self._keys

    def key(self, key_id: str) -> ApiKey | None:
        """A key by its id."""
        return next((key for key in self.keys if key.id == key_id), None)

    def _look(self) -> _Look | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size

    def _read(self) -> None:
        try:
            keys, problem = read_keys(self._path), None
        except KeysFileError as error:
            keys, problem = self._keys, str(error)
        if problem is not None and problem != self.problem:
            log.error("API keys: %s; the last good keys stay in use", problem)
        if keys != self._keys:
            before, now = {key.id for key in self._keys}, {key.id for key in keys}
            log.info(
                "API keys: %d in use; new: %s; gone: %s",
                len(keys),
                ", ".join(sorted(now - before)) or "none",
                ", ".join(sorted(before - now)) or "none",
            )
        self._keys, self.problem = keys, problem


def _young(look: _Look | None) -> bool:
    return look is not None and abs(time.time() - look[2] / 1e9) < _YOUNG_SECONDS
