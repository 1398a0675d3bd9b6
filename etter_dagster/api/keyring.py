"""The keys of `API_KEYS_FILE` as one process holds them: read again when the file changes."""

from __future__ import annotations

import logging
from pathlib import Path

from etter_dagster.model.api_keys import ApiKey
from etter_dagster.settings_keys import KeysFileError, read_keys
from etter_dagster.watched_file import WatchedFile

log = logging.getLogger(__name__)


class Keyring:
    """The keys of a file that is read again when it changed.

    A file that became unreadable or broken shuts nobody out: the last good keys stay. A service
    does not start with such a file (`settings_start`).

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._file = WatchedFile(path, read_keys)
        self._keys: tuple[ApiKey, ...] = ()
        self.problem: str | None = None

    @property
    def keys(self) -> tuple[ApiKey, ...]:
        """The keys that count now."""
        try:
            keys, problem = self._file.read(), None
        except KeysFileError as error:
            keys, problem = self._keys, str(error)
        if problem is not None and problem != self.problem:
            log.error("API keys: %s; the last good keys stay in use", problem)
        if keys != self._keys:
            self._say_changes(keys)
        self._keys, self.problem = keys, problem
        return keys

    def key(self, key_id: str) -> ApiKey | None:
        """A key by its id."""
        return next((key for key in self.keys if key.id == key_id), None)

    def _say_changes(self, keys: tuple[ApiKey, ...]) -> None:
        before, now = {key.id for key in self._keys}, {key.id for key in keys}
        log.info(
            "API keys: %d in use; new: %s; gone: %s",
            len(keys),
            ", ".join(sorted(now - before)) or "none",
            ", ".join(sorted(before - now)) or "none",
        )
