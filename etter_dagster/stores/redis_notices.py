"""`NoticeStore` on Redis, beside the queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from etter_dagster.model.notification import Notice, NoticeKind
from etter_dagster.settings import Settings
from etter_dagster.stores.notices import KEEP_SECONDS
from etter_dagster.stores.redis_connection import RedisServer, unavailable
from etter_dagster.stores.redis_scripts import AT_ONCE, ROOT
from etter_dagster.stores.times import micros


class RedisNotices:
    """`NoticeStore` in the queue's Redis.

    Args:
        settings: `redis_*`.
        clock: The present, in UTC; if None, the server's own.
    """

    def __init__(self, settings: Settings, clock: Callable[[], datetime] | None) -> None:
        self._server = RedisServer(settings)
        self._clock = clock

    async def close(self) -> None:
        await self._server.close()

    async def put(self, ended: Mapping[str, NoticeKind]) -> None:
        if ended:
            await self._run("put", *(part for id_, kind in ended.items() for part in (kind, id_)))

    async def take(self, n: int, *, lease_seconds: float) -> list[Notice]:
        names = ("id", "kind", "version", "sent", "attempts")
        found = await self._run("take", n, _us(lease_seconds))
        return [Notice.model_validate(dict(zip(names, row, strict=True))) for row in found]

    async def done(self, notice: Notice, *, sent: str) -> None:
        await self._run("done", notice.id, notice.version, sent, _us(KEEP_SECONDS))

    async def later(self, notice: Notice, *, seconds: float) -> None:
        await self._run("later", notice.id, _us(seconds))

    async def forget(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), AT_ONCE):
            await self._run("forget", *ids[start : start + AT_ONCE])

    async def waiting(self) -> int:
        client = await self._server.client()
        with unavailable():
            return int(await client.zcard(f"{ROOT}:notices"))

    async def _run(self, act: str, *arguments: str | int) -> Any:
        now = micros(self._clock()) if self._clock is not None else ""
        return await self._server.run("notices", now, act, *arguments)


def _us(seconds: float) -> int:
    return int(seconds * 1e6)
