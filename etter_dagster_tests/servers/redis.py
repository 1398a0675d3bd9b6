"""A real Redis server of a test's own, which it may kill and start again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from etter_dagster.settings import Settings

PASSWORD = "redis-test-password"
_READY_SECONDS = 60.0


class RedisServer:
    """A server on a free port of 127.0.0.1; its data stays in `folder` between starts.

    Args:
        folder: For its data.
        options: Of `redis-server`, over the durable defaults.
    """

    def __init__(self, folder: Path, **options: str) -> None:
        self.folder = folder
        self.port = _free_port()
        self.options = {
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
            "requirepass": PASSWORD,
        } | {name.replace("_", "-"): value for name, value in options.items()}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it takes commands (it reads its log first)."""
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("no redis-server here: run `make test-servers`")
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [word for option in self.options.items() for word in (f"--{option[0]}", option[1])]
        self._process = subprocess.Popen(
            [
                program,
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--dir",
                str(self.folder),
                *words,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except redis.RedisError:
                assert self._process.poll() is None, "redis-server ended at its start"
                assert time.monotonic() < deadline, "redis-server does not get ready"
                time.sleep(0.02)

    def client(self, db: int = 0) -> redis.Redis:
        """A plain client, for looking from outside."""
        password = self.options["requirepass"] or None
        return redis.Redis(port=self.port, db=db, password=password, decode_responses=True)

    def empty(self) -> None:
        """Forgets everything."""
        with self.client() as client:
            client.flushall()

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Ends it; with SIGKILL as a crash of the machine's process would."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Stops it as a partition of the network would: connections stay, nothing answers."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Goes on after `pause`."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Kills it as hard as can be, and starts it with what was on disk."""
        self.kill()
        self.start()


@contextmanager
def redis_server(folder: Path, **options: str) -> Iterator[RedisServer]:
    """A running server, ended with the block."""
    server = RedisServer(folder, **options)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def redis_settings(server: RedisServer, settings: Settings, **changes: object) -> Settings:
    """The settings with this server as their queue."""
    return settings.with_changes(
        redis_host="127.0.0.1",
        redis_port=server.port,
        redis_password=server.options["requirepass"] or None,
        **changes,
    )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
