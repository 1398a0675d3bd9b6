"""Notices that any process changed the queue: one subscription a process, no polling.

Publish/subscribe and not a blocking XREAD: a stream would be written, synced and trimmed for each
change only to say "look again". What may be missed while the connection is down is made good by
waking everybody when it is up again.
"""

from __future__ import annotations

import asyncio
import time

import redis.asyncio as aioredis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.stores.redis_scripts import CHANGED
from etter_dagster.tasks import end

_SILENCE_SECONDS = 10.0  # then the server is asked whether it is still there
_PAUSES = (0.05, 0.2, 1.0)  # before connecting anew, the last one from then on


class Changes:
    """A counter of this process that rises when the queue changes, and waiting for it.

    Args:
        client: Of the server; one of its connections is kept.
        timeout: Seconds after which a silent server counts as lost.
    """

    def __init__(self, client: aioredis.Redis, timeout: float) -> None:
        self._client = client
        self._timeout = timeout
        self._counter = 1
        self._changed = asyncio.Event()
        self._connected = False
        self._tried = asyncio.Event()  # the first attempt to connect has ended
        self._listener: asyncio.Task[None] | None = None

    async def wait(self, since: int, timeout: float) -> int:
        """Waits until the counter is above `since`, at most `timeout` seconds.

        Args:
            since: What the last call gave; 0 for the present counter.
            timeout: Seconds; 0 or less gives the counter at once.

        Raises:
            StoreUnavailable: At the end of that time nobody listens.
        """
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
        await self._tried.wait()
        since = since or self._counter
        deadline = time.monotonic() + timeout
        while self._counter <= since and (left := deadline - time.monotonic()) > 0:
            changed = asyncio.ensure_future(self._changed.wait())
            await asyncio.wait([changed], timeout=left)
            changed.cancel()
        if not self._connected:
            raise StoreUnavailable("queue")
        return self._counter

    async def close(self) -> None:
        """Ends listening."""
        if self._listener is not None:
            await end(self._listener)

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                await self._hear()
            except (RedisError, OSError, asyncio.TimeoutError):
                failures = 0 if self._connected else failures + 1
            finally:
                self._connected = False
                self._tried.set()
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])

    async def _hear(self) -> None:
        """Subscribes and counts until the connection is lost."""
        async with self._client.pubsub() as channel:
            await channel.subscribe(CHANGED)
            silent = False
            while True:
                wait = self._timeout if silent or not self._connected else _SILENCE_SECONDS
                message = await channel.get_message(timeout=wait)
                if message is not None:
                    silent = False
                    self._connected = True
                    self._tried.set()
                    if message["type"] != "pong":
                        self._count()  # the subscription too: something may have been missed
                elif silent or not self._connected:
                    raise RedisConnectionError
                else:
                    silent = True
                    await channel.ping()

    def _count(self) -> None:
        self._counter += 1
        self._changed.set()
        self._changed = asyncio.Event()
