"""`AccessStore` on Redis, beside the queue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from etter_dagster.model.rate import pause
from etter_dagster.settings import Settings
from etter_dagster.stores.access import Session
from etter_dagster.stores.redis_connection import RedisServer, unavailable
from etter_dagster.stores.redis_scripts import ROOT
from etter_dagster.stores.times import micros


class RedisAccess:
    """`AccessStore` in the queue's Redis.

    Args:
        settings: `redis_*`.
        clock: The present, in UTC; if None, requests are counted by the server's own.
    """

    def __init__(self, settings: Settings, clock: Callable[[], datetime] | None) -> None:
        self._server = RedisServer(settings)
        self._clock = clock

    async def close(self) -> None:
        await self._server.close()

    async def hit(self, who: str, *, limit: int) -> float:
        now = micros(self._clock()) if self._clock is not None else ""
        said = await self._server.run("hit", now, who, limit)
        if not said:
            return 0.0
        present, *found = map(int, said)
        return pause(zip(found[::2], found[1::2], strict=True), limit, present / 1e6)

    async def put_session(self, session_id: str, session: Session) -> None:
        left = (session.expires_at - self._now()).total_seconds()
        client = await self._server.client()
        with unavailable():
            await client.set(
                _name(session_id), session.model_dump_json(), px=max(1, int(left * 1e3))
            )

    async def session(self, session_id: str) -> Session | None:
        client = await self._server.client()
        with unavailable():
            body = await client.get(_name(session_id))
        session = Session.model_validate_json(body) if body else None
        return session if session is not None and session.expires_at > self._now() else None

    async def drop_session(self, session_id: str) -> None:
        client = await self._server.client()
        with unavailable():
            await client.delete(_name(session_id))

    def _now(self) -> datetime:
        return self._clock() if self._clock is not None else datetime.now(timezone.utc)


def _name(session_id: str) -> str:
    return f"{ROOT}:session:{session_id}"
