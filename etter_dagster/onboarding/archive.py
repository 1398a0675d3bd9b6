"""Ended pushes on their way from the queue into the graph's history."""

from __future__ import annotations

from datetime import timedelta

from etter_dagster.onboarding.services import Services


async def archive(services: Services, limit: int = 500) -> int:
    """Moves up to `limit` ended pushes into the history; safe to repeat and to run twice at once.

    The history is written first, so a crash in between only repeats the write.

    Returns:
        How many were moved.
    """
    ended = await services.queue.outbox(limit)
    if ended:
        await services.graph.append_history(ended)
        await services.queue.archived([push.workflow_id for push in ended])
    return len(ended)


async def forget_old(services: Services) -> int:
    """Drops live detail of pushes that ended longer ago than `REDIS_STATUS_TTL_SECONDS`."""
    lifetime = timedelta(seconds=services.settings.redis_status_ttl_seconds)
    return await services.queue.prune(before=services.clock() - lifetime)
