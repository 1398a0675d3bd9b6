"""Connections to one Redis server, and its errors as ours. Knows no key; `redis_queue.py` does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis.asyncio as aioredis
from redis import exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from etter_dagster.model.errors import ErrorCode, EtterError, StoreUnavailable
from etter_dagster.settings import Settings
from etter_dagster.stores import redis_schema as schema
from etter_dagster.stores.redis_changes import Changes
from etter_dagster.stores.redis_durability import check_durability
from etter_dagster.stores.redis_scripts import ROOT, script
from etter_dagster.stores.tls import tls_problem

_CONNECTIONS = 64  # of one process; hundreds of tasks take turns
_KEEPALIVE_SECONDS = 30
# Of these types are a server's plain refusals; others speak for themselves.
_PLAIN = (exceptions.ResponseError, exceptions.DataError, exceptions.NoScriptError)
_NO_ENTRY = ("NOAUTH", "WRONGPASS")
# Answers by which a server says that it cannot do its work now, whatever was asked.
_NOT_NOW = (*_NO_ENTRY, "MISCONF", "LOADING", "OOM", "NOPERM", "READONLY", "MASTERDOWN")


class RedisServer:
    """One server, connected to at first use; for one event loop.

    Nothing here repeats a command: after a lost answer it may have been done. A connection that the
    server closed meanwhile is noticed before it is used, so a restart needs none of ours.

    Args:
        settings: `redis_*`; in production a server that may lose pushes is refused. What another
            version of Etter wrote follows by itself in development only.
    """

    def __init__(self, settings: Settings) -> None:
        self._strict = settings.environment == "production"
        self._forward = settings.environment == "development"
        password = settings.redis_password
        encrypted: dict[str, Any] = {}
        if settings.redis_tls:
            encrypted = {
                "connection_class": aioredis.SSLConnection,
                "ssl_ca_certs": settings.redis_ca_file and str(settings.redis_ca_file),
                "ssl_check_hostname": True,  # older clients did not
            }
        pool = aioredis.BlockingConnectionPool(
            max_connections=_CONNECTIONS,
            timeout=settings.redis_socket_timeout,
            host=settings.redis_host,
            port=settings.redis_port,
            db=settings.redis_db,
            username=settings.redis_username,
            password=password.get_secret_value() if password else None,
            socket_timeout=settings.redis_socket_timeout,
            socket_connect_timeout=settings.redis_socket_timeout,
            health_check_interval=_KEEPALIVE_SECONDS,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
            client_name="etter",
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
            **encrypted,
        )
        self._client = aioredis.Redis.from_pool(pool)
        self.changes = Changes(self._client, settings.redis_socket_timeout)
        self._scripts: dict[str, Any] = {}
        self._checked = False
        self._checking = asyncio.Lock()

    async def client(self) -> aioredis.Redis:
        """The client; the first time it is asked for, what must hold of the server is checked.

        Raises:
            StoreUnavailable: The server does not answer.
            SchemaMismatch: `etter migrate` has to run first.
            EtterError: In production, it may lose pushes that were answered.
        """
        if not self._checked:
            async with self._checking:
                if not self._checked:
                    with unavailable():
                        await check_durability(self._client, strict=self._strict)
                        await schema.require_version(self._client, forward=self._forward)
                    self._checked = True
        return self._client

    async def migrate(self) -> tuple[int, int]:
        """Brings what is kept there to this code's version; gives the one before and the one now.

        Raises:
            SchemaMismatch: It is newer than this code.
            StoreUnavailable: The server does not answer.
        """
        with unavailable():
            return await schema.migrate(self._client)

    async def run(self, name: str, *arguments: str | int | float) -> Any:
        """Runs a script of `lua/`, one atomic step.

        Args:
            name: The script.
            arguments: Its ARGV.

        Raises:
            StoreUnavailable: The server does not answer; the step may have been done.
        """
        client = await self.client()
        if name not in self._scripts:
            self._scripts[name] = client.register_script(script(name))
        with unavailable():
            return await self._scripts[name](keys=[ROOT], args=arguments)

    async def close(self) -> None:
        """Closes all connections."""
        await self.changes.close()
        await self._client.aclose()


@contextmanager
def unavailable() -> Iterator[None]:
    """Errors of the driver become ours, without an address or a secret.

    Raises:
        StoreUnavailable: The server does not answer, or cannot do its work now.
    """
    try:
        yield
    except exceptions.ResponseError as error:
        if "DB index is out of range" in str(error):
            raise EtterError(
                ErrorCode.STORE_UNAVAILABLE,
                "ETTER_REDIS_DB: the server has no database of this number",
                recoverable=False,
            ) from None
        if not str(error).startswith(_NOT_NOW) and type(error) in _PLAIN:
            raise
        raise StoreUnavailable("queue", _why(error)) from None
    except (exceptions.RedisError, OSError, asyncio.TimeoutError) as error:
        raise StoreUnavailable("queue", _why(error)) from None


def _why(error: Exception) -> str:
    """What only who runs Etter can mend; empty where the server may answer again by itself."""
    said = str(error)
    if isinstance(error, exceptions.AuthenticationError) or said.startswith(_NO_ENTRY):
        return "it refuses who asks; check ETTER_REDIS_USERNAME and ETTER_REDIS_PASSWORD"
    if isinstance(error, exceptions.NoPermissionError) or said.startswith("NOPERM"):
        return "its user may not do what Etter does; operations.md, Redis, says what it needs"
    return tls_problem(error, authorities="ETTER_REDIS_CA_FILE", plain="ETTER_REDIS_TLS")
