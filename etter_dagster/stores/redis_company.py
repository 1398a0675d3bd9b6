"""What the Redis queue keeps of a company beside its waiting pushes: it stands in no index."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from etter_dagster.stores.redis_connection import RedisServer, unavailable
from etter_dagster.stores.redis_scripts import AT_ONCE, ROOT


async def archived_of(server: RedisServer, company_id: str) -> list[str]:
    """Ids of a company's pushes that the history holds and that are not pruned yet."""
    client = await server.client()
    with unavailable():
        ids: list[Any] = await client.zrange(f"{ROOT}:ended", 0, -1)
        found = []
        for part in _parts(ids):
            async with client.pipeline(transaction=False) as pipe:
                for workflow_id in part:
                    pipe.hget(f"{ROOT}:push:{workflow_id}", "company")
                companies = await pipe.execute()
            found += [wid for wid, of in zip(part, companies, strict=True) if of == company_id]
    return found


async def delete_batches(server: RedisServer, company_id: str) -> None:
    """Deletes a company's batches."""
    client = await server.client()
    with unavailable():
        keys = [key async for key in client.scan_iter(f"{ROOT}:batch:*", count=AT_ONCE)]
        for part in _parts(keys):
            bodies = await client.mget(part)
            theirs = [
                key
                for key, body in zip(part, bodies, strict=True)
                if body and json.loads(body)["company_id"] == company_id
            ]
            if theirs:
                await client.delete(*theirs)


def _parts(items: Sequence[str]) -> list[Sequence[str]]:
    return [items[i : i + AT_ONCE] for i in range(0, len(items), AT_ONCE)]
