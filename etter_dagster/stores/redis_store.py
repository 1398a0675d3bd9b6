"""What every store on Redis has: its server, its clock, its scripts."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from datetime import datetime
from typing import Any

from etter_dagster.settings import Settings
from etter_dagster.stores.redis_connection import RedisServer
from etter_dagster.stores.times import micros


class RedisStore:
    """A store in a Redis database.

    Args:
        settings: `redis_*`.
        clock: The present, in UTC; if None, the server's own.
    """

    def __init__(self, settings: Settings, clock: Callable[[], datetime] | None = None) -> None:
        self._settings = settings
        self._clock = clock
        # Connections belong to an event loop; each loop that uses the store has its own.
        self._servers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, RedisServer] = (
            weakref.WeakKeyDictionary()
        )

    async def close(self) -> None:
        """Closes the connections of this event loop."""
        server = self._servers.pop(asyncio.get_running_loop(), None)
        if server is not None:
            await server.close()

    @property
    def _server(self) -> RedisServer:
        loop = asyncio.get_running_loop()
        if loop not in self._servers:
            self._servers[loop] = RedisServer(self._settings)
        return self._servers[loop]

    async def _run(self, name: str, *values: str | int | float) -> Any:
        """Runs a script, which is told the present first."""
        now = micros(self._clock()) if self._clock else ""
        return await self._server.run(name, now, *values)
