"""Whether a service may start: its settings, and in production how the Redis that they name is set.

All reasons are told at once, so that a deployment is corrected in one go.
"""

from __future__ import annotations

import asyncio

from etter_dagster.model.errors import EtterError, StoreUnavailable
from etter_dagster.settings import Settings
from etter_dagster.stores.redis_connection import RedisServer

_SECONDS = 10.0


async def reasons_not_to_start(settings: Settings) -> list[str]:
    """Why a service must not start; empty if it may.

    Args:
        settings: The settings; in production their Redis is asked.
    """
    return settings.refuse_to_start() + await _of_redis(settings)


async def require_startable(settings: Settings) -> None:
    """Raises if a service must not start.

    Args:
        settings: The settings.

    Raises:
        ValueError: Names all that is wrong at once.
    """
    if reasons := await reasons_not_to_start(settings):
        raise ValueError("Etter refuses to start: " + "; ".join(reasons))


async def _of_redis(settings: Settings) -> list[str]:
    """One that is away now stops no start: its settings are compared at its first use."""
    if settings.environment != "production" or settings.redis_host is None:
        return []
    connection = RedisServer(settings)
    try:
        await asyncio.wait_for(connection.client(), _SECONDS)
    except (StoreUnavailable, asyncio.TimeoutError):
        return []
    except EtterError as error:
        return [f"production: {error.message}"]
    finally:
        await connection.close()
    return []
