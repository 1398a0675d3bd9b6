"""What every embedded store has: its file, its clock, its schema."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from etter_dagster.stores.sqlite_database import SqliteDatabase


class SqliteStore:
    """A store in a SQLite file of its own; a subclass says what is in it.

    Args:
        path: The file; made at first use.
        clock: The present, in UTC.
        forward: Whether an older file is brought further when it is opened.
    """

    WHAT: ClassVar[str]
    """The store, as errors name it."""
    MIGRATIONS: ClassVar[Sequence[str]]
    """As `SqliteDatabase` takes them."""
    DURABLE: ClassVar[bool] = True
    """Whether each write is synced."""

    def __init__(self, path: Path, clock: Callable[[], datetime], *, forward: bool = True) -> None:
        self._database = SqliteDatabase(
            path, self.WHAT, self.MIGRATIONS, forward=forward, durable=self.DURABLE
        )
        self._clock = clock

    async def close(self) -> None:
        await self._database.close()

    async def migrate(self) -> tuple[int, int]:
        return await self._database.migrate()

    async def check_schema(self) -> None:
        await self._database.check_schema()
