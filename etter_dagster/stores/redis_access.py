"""`AccessStore` on Redis, beside the queue."""

from __future__ import annotations

from datetime import datetime, timezone

from etter_dagster.model.rate import pause
from etter_dagster.stores.access import Session
from etter_dagster.stores.redis_connection import unavailable
from etter_dagster.stores.redis_scripts import ROOT
from etter_dagster.stores.redis_store import RedisStore


class RedisAccess(RedisStore):
    """`AccessStore` in the queue's Redis.

    With no clock, requests are counted by the server's own.
    """

    async def hit(self, who: str, *, limit: int) -> float:
        said = await self._run("hit", who, limit)
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

    async def swap(self, name: str, value: str) -> str | None:
        client = await self._server.client()
        with unavailable():
            before = await client.set(f"{ROOT}:kept:{name}", value, get=True)
        return str(before) if before is not None else None

    def _now(self) -> datetime:
        return self._clock() if self._clock is not None else datetime.now(timezone.utc)


def _name(session_id: str) -> str:
    return f"{ROOT}:session:{session_id}"
