"""A real Redis server of a test's own, which it may kill and start again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from etter_dagster.settings import Settings
from etter_dagster_tests.servers.certificate import Certificate
from etter_dagster_tests.servers.shared import (
    end_guarded,
    free_port,
    start_guarded,
    wait_until,
)

PASSWORD = "redis-test-password"


class RedisServer:
    """A server on a free port of 127.0.0.1; its data stay between starts.

    Args:
        certificate: Of a server that speaks TLS only.
        options: Of `redis-server`, over the durable defaults.
    """

    def __init__(self, certificate: Certificate | None = None, **options: str) -> None:
        self.certificate = certificate
        self.folder = Path(tempfile.mkdtemp(prefix="etter-redis-"))
        self.port = free_port()
        self.options = {
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
            "requirepass": PASSWORD,
        } | {name.replace("_", "-"): value for name, value in options.items()}
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it takes commands (it reads its log first)."""
        address = {"bind": "127.0.0.1", "dir": str(self.folder), "port": str(self.port)}
        if self.certificate is not None:
            address |= {
                "port": "0",
                "tls-port": str(self.port),
                "tls-cert-file": str(self.certificate.file),
                "tls-key-file": str(self.certificate.key_file),
                "tls-auth-clients": "no",
            }
        words = [
            word for n, value in (address | self.options).items() for word in (f"--{n}", value)
        ]
        guard = self._guard = start_guarded([_program(), *words], self.folder)

        def answers() -> bool:
            assert guard.poll() is None, "redis-server ended at its start"
            try:
                with self.client() as client:
                    return bool(client.ping())
            except redis.RedisError:
                return False

        wait_until("Redis' start", answers)

    def client(self, db: int = 0) -> redis.Redis:
        """A plain client, for looking from outside."""
        password = self.options["requirepass"] or None
        tls: dict[str, Any] = {"ssl": True, "ssl_cert_reqs": "none"} if self.certificate else {}
        return redis.Redis(
            host="127.0.0.1", port=self.port, db=db, password=password, decode_responses=True, **tls
        )

    def empty(self) -> None:
        """Forgets everything."""
        with self.client() as client:
            client.flushall()

    def kill(self) -> None:
        """Ends it with SIGKILL, as a power cut does; the data stay."""
        if self._guard is not None:
            end_guarded(self._guard, signal.SIGKILL)
            self._guard = None

    def restart(self) -> None:
        """Kills it, and starts it with what was on disk."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Stops it as a partition of the network would: connections stay, nothing answers."""
        os.kill(self._pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Goes on after `pause`."""
        os.kill(self._pid, signal.SIGCONT)

    def remove(self) -> None:
        """Ends it and removes its data."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def settings(self, settings: Settings, **changes: object) -> Settings:
        """The settings with this server as their queue."""
        place: dict[str, object] = {
            "redis_host": "127.0.0.1",
            "redis_port": self.port,
            "redis_password": self.options["requirepass"] or None,
        }
        if self.certificate is not None:
            place |= {"redis_tls": True, "redis_ca_file": self.certificate.file}
        return settings.with_changes(**(place | changes))

    @property
    def _pid(self) -> int:
        assert self._guard is not None
        (server,) = psutil.Process(self._guard.pid).children()
        return server.pid


def _program() -> str:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server here: run `make test-servers`")
    return program


@contextmanager
def redis_server(certificate: Certificate | None = None, **options: str) -> Iterator[RedisServer]:
    """A running server, ended and removed with the block."""
    _program()
    server = RedisServer(certificate, **options)
    try:
        server.start()
        yield server
    finally:
        server.remove()
