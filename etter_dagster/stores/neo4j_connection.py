"""One event loop's connection to Neo4j: transactions, schema check, and errors in Etter's words.

Knows no label of the graph; `neo4j_roles.py` and `neo4j_records.py` bring their Cypher.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from neo4j import AsyncDriver, AsyncGraphDatabase, AsyncManagedTransaction
from neo4j.exceptions import (
    AuthError,
    ClientError,
    DriverError,
    Neo4jError,
    ResultError,
    TransactionError,
)

from etter_dagster.model.errors import SchemaMismatch, StoreUnavailable
from etter_dagster.settings import Settings
from etter_dagster.stores import neo4j_schema as schema
from etter_dagster.stores.tls import tls_problem

T = TypeVar("T")
log = logging.getLogger(__name__)

_CONNECT_SECONDS = 5.0
# The driver repeats what failed for a passing reason (a deadlock, a broken connection) so long.
_RETRY_SECONDS = 5.0
_FIRST_RETRY_SECONDS = 0.1
_CONNECTIONS = 20
# A server that hangs is away; its largest transaction takes a few seconds.
_ANSWER_SECONDS = 60.0
_BOLT_PORT = 7687


class Neo4jConnection:
    """A driver and what is known about the server; opened at first use.

    Args:
        settings: The `neo4j_...` ones.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._driver: AsyncDriver | None = None
        self._usable = False
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    async def read(self, work: Callable[[AsyncManagedTransaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction that only reads.

        Raises:
            StoreUnavailable: The server cannot be used.
        """
        driver = await self._ready()
        with self._translated():
            async with driver.session(database=self._settings.neo4j_database) as session:
                return await asyncio.wait_for(session.execute_read(work), _ANSWER_SECONDS)

    async def write(self, work: Callable[[AsyncManagedTransaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction, again if the driver asks for it; if it raises, nothing is
        written.

        Raises:
            StoreUnavailable: The server cannot be used.
        """
        driver = await self._ready()
        with self._translated():
            async with driver.session(database=self._settings.neo4j_database) as session:
                return await asyncio.wait_for(session.execute_write(work), _ANSWER_SECONDS)

    async def check(self) -> None:
        """Looks whether the server answers and has this code's schema.

        Raises:
            StoreUnavailable: It does not answer.
            SchemaMismatch: `etter migrate` has to run first.
        """
        # All that ask at the same time share one look: with no answer it takes seconds.
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(_heard)
        await asyncio.shield(self._looking)

    async def migrate(self) -> tuple[int, int]:
        """Applies the migrations that are missing; gives the version before and now."""
        driver = self._open()
        with self._translated():
            async with driver.session(database=self._settings.neo4j_database) as session:
                before = await schema.version_of(session)
            known = len(schema.MIGRATIONS)
            if before > known:
                raise SchemaMismatch("graph", before, known)
            await schema.migrate(driver, self._settings.neo4j_database)
        return before, known

    async def close(self) -> None:
        """Frees the connections."""
        self._closed = True
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.close()

    async def _ready(self) -> AsyncDriver:
        if not self._usable:
            await self.check()
        return self._open()

    async def _look(self) -> None:
        self._usable = False
        try:
            found = await self._version()
        except StoreUnavailable:
            await self._shake_hands()
            raise
        if found != len(schema.MIGRATIONS):
            raise SchemaMismatch("graph", found, len(schema.MIGRATIONS))
        self._usable = True

    async def _version(self) -> int:
        driver = self._open()
        with self._translated():
            # Not `execute_read`: what cannot be reached is said at once, not after repetitions.
            async with driver.session(
                database=self._settings.neo4j_database, default_access_mode="READ"
            ) as session:
                return await asyncio.wait_for(schema.version_of(session), _ANSWER_SECONDS)

    async def _shake_hands(self) -> None:
        """Raises why TLS does not come about, which the driver keeps to itself where it routes."""
        at = urlsplit(self._settings.neo4j_uri or "")
        if at.scheme != "neo4j+s":
            return
        opening = asyncio.open_connection(at.hostname, at.port or _BOLT_PORT, ssl=True)
        with self._translated():
            _, writer = await asyncio.wait_for(opening, _CONNECT_SECONDS)
            writer.close()

    def _open(self) -> AsyncDriver:
        if self._closed:
            raise StoreUnavailable("graph")
        if self._driver is None:
            with self._translated():
                self._driver = _driver(self._settings)
        return self._driver

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (DriverError, Neo4jError, OSError, asyncio.TimeoutError) as error:
            if _is_bug(error):
                raise
            self._usable = False  # the next call looks first
            # The text of the error names the address.
            log.warning(
                "the graph store cannot be used: %s",
                getattr(error, "code", None) or type(error).__name__,
            )
            raise StoreUnavailable("graph", _why(error)) from None


def _heard(task: asyncio.Task[None]) -> None:
    """Looks at a task's error, as all who asked may be gone by now."""
    if not task.cancelled():
        task.exception()


def _driver(settings: Settings) -> AsyncDriver:
    assert settings.neo4j_uri is not None
    password = settings.neo4j_password
    options: dict[str, Any] = {
        "connection_timeout": _CONNECT_SECONDS,
        "max_transaction_retry_time": _RETRY_SECONDS,
        "initial_retry_delay": _FIRST_RETRY_SECONDS,
        "max_connection_pool_size": _CONNECTIONS,
        # Hints of the query planner are for tests, not for logs.
        "notifications_min_severity": "OFF",
        "telemetry_disabled": True,
        "user_agent": "etter",
    }
    auth = (settings.neo4j_user, password.get_secret_value()) if password else None
    return AsyncGraphDatabase.driver(settings.neo4j_uri, auth=auth, **options)


def _why(error: Exception) -> str:
    """What only who runs Etter can mend; empty where the server may answer again by itself."""
    if isinstance(error, AuthError):
        return "it refuses who asks; check ETTER_NEO4J_USER and ETTER_NEO4J_PASSWORD"
    if getattr(error, "code", None) == "Neo.ClientError.Database.DatabaseNotFound":
        return "it has no such database; check ETTER_NEO4J_DATABASE"
    at = "the scheme of ETTER_NEO4J_URI"
    return tls_problem(error, authorities=f"{at} (bolt+ssc:// trusts any)", plain=at)


def _is_bug(error: Exception) -> bool:
    """Whether our own query or use of the driver is wrong: that must not look like an outage."""
    if isinstance(error, (ResultError, TransactionError)):
        return True
    category = (getattr(error, "code", None) or "").split(".")[2:3]
    return isinstance(error, ClientError) and category in (["Statement"], ["Schema"])
