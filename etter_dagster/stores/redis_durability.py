"""Whether a Redis server keeps what it acknowledged: settings that the queue's promise rests on."""

from __future__ import annotations

import logging

import redis.asyncio as aioredis
from redis.exceptions import NoPermissionError, ResponseError

from etter_dagster.model.errors import ErrorCode, EtterError

# A push that was answered is on disk; so no setting may let the server forget it.
REQUIRED = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
log = logging.getLogger(__name__)


async def check_durability(client: aioredis.Redis, *, strict: bool) -> None:
    """Compares the server's settings with `REQUIRED`.

    Args:
        client: Connected to the server.
        strict: Whether to refuse; else it is a warning.

    Raises:
        EtterError: Names each setting that is wrong, and the remedy.
    """
    if not (problems := await _problems(client)):
        return
    message = "Redis may lose pushes that were answered: " + "; ".join(problems)
    if strict:
        raise EtterError(ErrorCode.STORE_UNAVAILABLE, message, recoverable=False)
    log.warning("%s (production refuses to start so)", message)


async def _problems(client: aioredis.Redis) -> list[str]:
    await client.ping()
    try:
        found = await client.config_get(*REQUIRED)
    except (NoPermissionError, ResponseError):
        return ["its settings cannot be read; allow this user CONFIG GET (ACL +config|get)"]
    return [
        f"{name} is {found.get(name, 'not known')}, set it to {wanted}"
        for name, wanted in REQUIRED.items()
        if found.get(name) != wanted
    ]
