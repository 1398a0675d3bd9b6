"""`NoticeStore` on Redis, beside the queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from etter_dagster.model.notification import Notice, NoticeKind
from etter_dagster.stores.notices import KEEP_SECONDS
from etter_dagster.stores.redis_connection import unavailable
from etter_dagster.stores.redis_scripts import AT_ONCE, ROOT
from etter_dagster.stores.redis_store import RedisStore


class RedisNotices(RedisStore):
    """`NoticeStore` in the queue's Redis."""

    async def put(self, ended: Mapping[str, NoticeKind]) -> None:
        if ended:
            words = [word for id_, kind in ended.items() for word in (kind, id_)]
            await self._run("notices", "put", *words)

    async def take(self, n: int, *, lease_seconds: float) -> list[Notice]:
        names = ("id", "kind", "version", "sent", "attempts")
        found = await self._run("notices", "take", n, _us(lease_seconds))
        return [Notice.model_validate(dict(zip(names, row, strict=True))) for row in found]

    async def done(self, notice: Notice, *, sent: str) -> None:
        await self._run("notices", "done", notice.id, notice.version, sent, _us(KEEP_SECONDS))

    async def later(self, notice: Notice, *, seconds: float) -> None:
        await self._run("notices", "later", notice.id, _us(seconds))

    async def forget(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), AT_ONCE):
            await self._run("notices", "forget", *ids[start : start + AT_ONCE])

    async def waiting(self) -> int:
        client = await self._server.client()
        with unavailable():
            return int(await client.zcard(f"{ROOT}:notices"))


def _us(seconds: float) -> int:
    return int(seconds * 1e6)
