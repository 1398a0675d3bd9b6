"""The format of what Etter keeps in Redis: its version, brought forward, and refused if another.

Key names, fields of hashes and the meaning of scores are the format. Whoever changes one so that a
process of before would read it wrongly adds a migration, as in the other stores.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import redis.asyncio as aioredis

from etter_dagster.model.errors import SchemaMismatch
from etter_dagster.stores.redis_scripts import ROOT

VERSION_KEY = f"{ROOT}:schema"
# Where one of these is, something was written; else there is nothing to bring forward.
_WRITTEN = (f"{ROOT}:counters", f"{ROOT}:ledger:attempts")


async def _numbered(_: aioredis.Redis) -> None:
    """The format of before there were versions is the first one: it only gets its number."""


MIGRATIONS: tuple[Callable[[aioredis.Redis], Awaitable[None]], ...] = (_numbered,)


async def require_version(client: aioredis.Redis, *, forward: bool) -> None:
    """Compares the version in Redis with this code's; an empty database gets this code's.

    Args:
        client: Connected to the server.
        forward: Whether an older one follows by itself.

    Raises:
        SchemaMismatch: It is another.
    """
    found = await _found(client)
    if found is None or (forward and found < len(MIGRATIONS)):
        await migrate(client)
    elif found != len(MIGRATIONS):
        raise SchemaMismatch("queue", found, len(MIGRATIONS))


async def migrate(client: aioredis.Redis) -> tuple[int, int]:
    """Applies the migrations that are missing; gives the version before and now.

    Each can be repeated: of two processes that migrate, both may do the same one.

    Args:
        client: Connected to the server.

    Raises:
        SchemaMismatch: It is newer than this code.
    """
    found, known = await _found(client), len(MIGRATIONS)
    before = found or 0
    if before > known:
        raise SchemaMismatch("queue", before, known)
    for number in range(before, known):
        if found is not None:
            await MIGRATIONS[number](client)
        await client.set(VERSION_KEY, number + 1)
    return before, known


async def _found(client: aioredis.Redis) -> int | None:
    """The version in Redis; 0 is from before there were versions, None an empty database."""
    version = await client.get(VERSION_KEY)
    if version is not None:
        return int(version)
    return 0 if await client.exists(*_WRITTEN) else None
