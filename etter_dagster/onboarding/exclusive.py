"""A short lock over all processes, for read-modify-write of a small record in the queue store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from etter_dagster.stores.protocols import PushQueue

_ASK_AGAIN_SECONDS = 0.02
_TTL_SECONDS = 60.0


@asynccontextmanager
async def exclusive(queue: PushQueue, kind: str, key: str) -> AsyncIterator[None]:
    """Only one holder at a time; a holder that died is forgotten with its reservation (a minute).

    Args:
        queue: Its idempotency keys make the lock.
        kind: What is locked, e.g. `batch`.
        key: Which one.
    """
    scope = f"lock:{kind}"
    # The holder may be in another process: there is nothing to wait on.
    while not (await queue.reserve_key(scope, key, "", ttl_seconds=_TTL_SECONDS)).fresh:  # noqa: ASYNC110
        await asyncio.sleep(_ASK_AGAIN_SECONDS)
    try:
        yield
    finally:
        await queue.release_key(scope, key)
