"""What runs on this machine: the lock that one `etter up` holds, and where it can be reached."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from filelock import FileLock, Timeout

from etter_dagster.settings import Settings

_FILE, _LOCK = "up.json", "up.lock"


@dataclass(frozen=True)
class Running:
    """A running `etter up`."""

    url: str
    dagster_url: str
    pid: int


class IsRunning(Exception):
    """Another `etter up` holds this data folder; `running` is where it is, if it said so."""

    def __init__(self, running: Running | None) -> None:
        where = f" at {running.url} (process {running.pid})" if running else ""
        super().__init__(
            f"etter is up already with this data folder{where}; "
            "stop it, or give this one a folder of its own with ETTER_DATA_DIR"
        )
        self.running = running


@contextmanager
def sole(settings: Settings) -> Iterator[None]:
    """Holds the data folder's lock; the system frees it when the process ends, however.

    Raises:
        IsRunning: Another process holds it.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(settings.data_dir / _LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise IsRunning(_read(settings)) from None
    try:
        yield
    finally:
        (settings.data_dir / _FILE).unlink(missing_ok=True)
        lock.release()


def announce(settings: Settings, running: Running) -> None:
    """Says where it is, for `running_here`; the file is whole or absent."""
    target = settings.data_dir / _FILE
    draft = target.with_suffix(".tmp")
    draft.write_text(json.dumps(asdict(running)))
    os.replace(draft, target)


def running_here(settings: Settings) -> Running | None:
    """The `etter up` of this data folder, if one is alive."""
    path = settings.data_dir / _LOCK
    if not path.exists():
        return None
    try:
        with FileLock(path).acquire(blocking=False):
            return None
    except Timeout:
        return _read(settings)
    except OSError:  # another user's folder
        return None


def _read(settings: Settings) -> Running | None:
    try:
        return Running(**json.loads((settings.data_dir / _FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def service_url(settings: Settings) -> str:
    """Where the service is: a running `etter up` of this data folder, else where settings say."""
    found = running_here(settings)
    return found.url if found else settings.rest_base_url
