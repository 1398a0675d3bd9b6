"""A Neo4j community server for tests, run from the jars that `make test-servers` fetches."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psutil
import pytest
from neo4j import GraphDatabase

from etter_dagster.settings import Settings
from etter_dagster.stores.neo4j_graph import Neo4jRoleGraph
from etter_dagster_tests.servers.shared import (
    end_guarded,
    free_port,
    held_by_one_test,
    once_per_run,
    start_guarded,
    wait_until,
)

VERSION = "5.26.30"
PASSWORD = "a-test-password"
# Read at import: tests run without the developer's own ETTER_ variables.
LIB = Path(
    os.environ.get("ETTER_TEST_NEO4J_LIB")
    or Path(os.environ.get("ETTER_TEST_CACHE") or "~/.cache/etter-tests").expanduser()
    / f"neo4j-{VERSION}"
)
_CONF = """
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
server.memory.heap.initial_size=256m
server.memory.heap.max_size=512m
server.memory.pagecache.size=64m
dbms.usage_report.enabled=false
# A store takes 2 MB with this instead of 517 MB, and the end of the server 2 s instead of 12 s.
db.tx_log.preallocate=false
internal.dbms.bolt.netty_server_shutdown_quiet_period=0
"""
_OPENS = ("java.base/java.nio", "java.base/java.io", "java.base/sun.nio.ch")


def missing() -> str | None:
    """Why there can be no server here, with the remedy; None if there can."""
    if shutil.which("java") is None:
        return "Neo4j needs Java 17: install it and run `make test-servers`"
    if not (LIB / f"neo4j-{VERSION}.jar").exists():
        return "no Neo4j here: run `make test-servers`"
    return None


class Neo4jServer:
    """A server in a folder of its own, under the temporary folder.

    Args:
        port: A server that somebody else started, by its Bolt port.
        long_lived: Whether it runs long enough for Java's second compiler to pay.
    """

    def __init__(self, port: int | None = None, *, long_lived: bool = False) -> None:
        self.port = port or free_port()
        self._compiler = [] if long_lived else ["-XX:TieredStopAtLevel=1"]
        self._folder: Path | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Its Bolt address."""
        return f"bolt://127.0.0.1:{self.port}"

    def settings(self, settings: Settings, **changes: object) -> Settings:
        """The settings with the graph on this server."""
        given = {"neo4j_uri": self.uri, "neo4j_password": PASSWORD, **changes}
        return settings.with_changes(**given)

    @property
    def variables(self) -> dict[str, str]:
        """The same as environment variables, without their prefix."""
        return {"NEO4J_URI": self.uri, "NEO4J_PASSWORD": PASSWORD}

    def start(self) -> None:
        """Starts it, with the data it had, and waits until it answers."""
        home = self._folder or self._make_home()
        log = home / "logs" / "neo4j.log"
        begins = log.stat().st_size if log.exists() else 0
        command = [
            "java",
            "-Xms256m",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            *self._compiler,
            *(f"--add-opens={module}=ALL-UNNAMED" for module in _OPENS),
            "-cp",
            f"{LIB}/*",
            "org.neo4j.server.CommunityEntryPoint",
            f"--home-dir={home}",
            f"--config-dir={home}/conf",
        ]
        self._guard = start_guarded(command, home)

        def started() -> bool:
            assert self._guard is not None
            if self._guard.poll() is not None:
                raise RuntimeError(f"Neo4j ended at once; see {log}")
            return log.exists() and "Started." in log.read_text()[begins:]

        wait_until("Neo4j's start", started)

    def migrate(self) -> None:
        """Brings its schema to the newest version."""

        async def act() -> None:
            graph = Neo4jRoleGraph(self.settings(Settings()), lambda: datetime.now(timezone.utc))
            await graph.migrate()
            await graph.close()

        asyncio.run(act())

    def wipe(self) -> None:
        """Removes all data but the record of the migrations."""
        self.query("MATCH (n) WHERE NOT n:SchemaMigration DETACH DELETE n")

    def query(self, text: str, **parameters: object) -> list[dict[str, Any]]:
        """Runs a query as a person would in the browser."""
        auth = ("neo4j", PASSWORD)
        with GraphDatabase.driver(self.uri, auth=auth, telemetry_disabled=True) as driver:
            return [row.data() for row in driver.execute_query(text, parameters).records]

    def kill(self) -> None:
        """Ends it with SIGKILL, as a power cut does; the data stay."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it in good order; the data stay."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Lets it hang: connections stay, nothing is answered."""
        self._java().suspend()

    def resume(self) -> None:
        """Goes on after `pause`."""
        self._java().resume()

    def remove(self) -> None:
        """Ends it and removes its data."""
        if self._guard is not None:
            self._end(signal.SIGKILL)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        assert self._guard is not None
        end_guarded(self._guard, how)
        self._guard = None

    def _java(self) -> psutil.Process:
        assert self._guard is not None
        (java,) = psutil.Process(self._guard.pid).children()
        return java

    def _make_home(self) -> Path:
        home = self._folder = Path(tempfile.mkdtemp(prefix="etter-neo4j-"))
        for name in ("conf", "logs"):
            (home / name).mkdir()
        (home / "conf" / "neo4j.conf").write_text(_CONF.format(port=self.port))
        subprocess.run(
            [
                "java",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                f"{LIB}/*",
                "org.neo4j.cli.AdminTool",
                "dbms",
                "set-initial-password",
                PASSWORD,
            ],
            env={**os.environ, "NEO4J_HOME": str(home), "NEO4J_CONF": str(home / "conf")},
            check=True,
            capture_output=True,
        )
        return home


@contextmanager
def neo4j_server() -> Iterator[Neo4jServer]:
    """A server that a test may kill, with the schema in it; ended and removed with the block."""
    if reason := missing():
        pytest.skip(reason)
    server = Neo4jServer()
    try:
        server.start()
        server.migrate()
        yield server
    finally:
        server.remove()


@contextmanager
def empty_database(factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """The server of this test run, with nothing in it but the schema, for one test at a time.

    The community edition has one database, and starting a server takes seconds.
    """
    if reason := missing():
        pytest.skip(reason)
    server = Neo4jServer(port=int(once_per_run(factory, "neo4j", _start)["port"]))
    with held_by_one_test(factory, "neo4j"):
        server.wipe()
        yield server


def _start() -> dict[str, int]:
    server = Neo4jServer()
    server.start()
    server.migrate()
    return {"port": server.port}
