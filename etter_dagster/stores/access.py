"""What REST remembers of callers: sessions, how much each asked within a minute, known keys.

Apart from the queue, as it may be lost: people then log in again, and the audit log names every key
once more. Each kind passes the same tests.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict


class Session(BaseModel):
    """A page session: of which key, by its id and hash, and until when."""

    model_config = ConfigDict(frozen=True)

    key_id: str
    key_sha256: str
    expires_at: datetime


class AccessStore(Protocol):
    """Sessions and counts of requests, shared by all REST processes."""

    async def close(self) -> None:
        """Frees connections and threads."""

    async def hit(self, who: str, *, limit: int) -> float:
        """Counts a request, unless `who` made `limit` within the last minute.

        Returns:
            0 if it was counted, else the seconds to wait.
        """

    async def put_session(self, session_id: str, session: Session) -> None:
        """Keeps a session until it expires; `session_id` is a hash of what the browser holds."""

    async def session(self, session_id: str) -> Session | None:
        """A session that has not expired."""

    async def drop_session(self, session_id: str) -> None:
        """Forgets a session."""

    async def swap(self, name: str, value: str) -> str | None:
        """Keeps a value under a name and gives the one before, in one step."""
