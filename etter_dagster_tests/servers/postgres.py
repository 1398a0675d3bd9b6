"""A real PostgreSQL of a test's own, which it may kill and start again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest

from etter_dagster_tests.servers.shared import (
    end_guarded,
    free_port,
    start_guarded,
    wait_until,
)

PASSWORD = "postgres-test-password"
_INSTALLED = "/usr/lib/postgresql"


class PostgresServer:
    """A server on a free port of 127.0.0.1, run as the user `postgres` where we are root.

    Args:
        max_connections: How many it takes at once.
    """

    def __init__(self, *, max_connections: int = 100) -> None:
        # Not pytest's own folder: that one is closed to the user `postgres`.
        self.folder = Path(tempfile.mkdtemp(prefix="etter-postgres-"))
        self.port = free_port()
        self.max_connections = max_connections
        self._databases = 0
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As users write it into `ETTER_DAGSTER_POSTGRES_URL`."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def create(self) -> None:
        """Makes the data folder."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
            shutil.chown(secret, "postgres")
        words = ["-D", self._data, "-U", "postgres", "--auth=scram-sha-256"]
        words += [f"--pwfile={secret}", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(_command("initdb", *words), check=True, cwd=self.folder, capture_output=True)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        given = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
            "max_connections": str(self.max_connections),
            "fsync": "off",
        }
        words = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
        command = _command("postgres", "-D", self._data, "-p", str(self.port), *words)
        # A folder that it ended in by a kill has its lock for a moment.
        wait_until("PostgreSQL's start", lambda: self._answers(command))

    def kill(self) -> None:
        """Ends it with SIGKILL, as a power cut does; the data stay."""
        if self._guard is not None:
            end_guarded(self._guard, signal.SIGKILL)
            self._guard = None

    def restart(self) -> None:
        """Kills it, and starts it with what was on disk."""
        self.kill()
        self.start()

    def remove(self) -> None:
        """Ends it, whoever is connected, and removes its data."""
        if self._guard is not None:
            end_guarded(self._guard, signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_database(self) -> str:
        """Makes an empty database; gives its URL."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.ask(f"CREATE DATABASE {name}")
        return self.url_of(name)

    def ask(self, query: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Rows of a query, or none where it gives none; outside a transaction."""
        connection = psycopg2.connect(self.url_of(database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(query)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _answers(self, command: list[str]) -> bool:
        if self._guard is None or self._guard.poll() is not None:
            # Its guard must not remove the data when it did not start.
            self._guard = start_guarded(command, self.folder / "none")
        try:
            return self.ask("SELECT 1") == [(1,)]
        except psycopg2.OperationalError:
            return False


def _command(program: str, *words: str) -> list[str]:
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    return [*(user if os.getuid() == 0 else []), _program(program), *words]


def _program(name: str) -> str:
    """Where a program of PostgreSQL is; Debian keeps them off the PATH."""
    if found := shutil.which(name):
        return found
    for folder in sorted(Path(_INSTALLED).glob("*/bin"), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    pytest.skip("no PostgreSQL here: run `make test-servers`")


@contextmanager
def postgres_server(*, max_connections: int = 100) -> Iterator[PostgresServer]:
    """A running server, ended and removed with the block."""
    _program("initdb")
    server = PostgresServer(max_connections=max_connections)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.remove()
