"""Notifications on their way: written before an ended push leaves the outbox, kept until told.

Each kind of store passes the same tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from etter_dagster.model.notification import Notice, NoticeKind

KEEP_SECONDS = 7 * 86_400.0  # so long it is known that something was told


class NoticeStore(Protocol):
    """What is to be told, shared by all processes."""

    async def close(self) -> None:
        """Frees connections and threads."""

    async def put(self, ended: Mapping[str, NoticeKind]) -> None:
        """Something ended (again): on disk on return. A push that was told stays told."""

    async def take(self, n: int, *, lease_seconds: float) -> list[Notice]:
        """Up to `n` that are due, oldest first; nobody else gets them within the lease."""

    async def done(self, notice: Notice, *, sent: str) -> None:
        """It was told by the event `sent` (empty: nothing to tell yet), unless it ended anew."""

    async def later(self, notice: Notice, *, seconds: float) -> None:
        """It could not be told: once more after so many seconds."""

    async def forget(self, ids: Sequence[str]) -> None:
        """Nothing of these is to be told, nor known, any more."""

    async def waiting(self) -> int:
        """How many are yet to be told."""
