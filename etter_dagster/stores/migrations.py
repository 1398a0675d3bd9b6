"""Schema versions of all configured stores: bringing them forward, and refusing to work on others.

A version is the number of migrations applied. SQLite keeps it in the file (`user_version`), Neo4j
in its `SchemaMigration` nodes, Redis in a key that the queue, the ledger and the rest share.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from etter_dagster.model.errors import SchemaMismatch, StoreUnavailable
from etter_dagster.settings import Settings
from etter_dagster.stores import open_access, open_graph, open_ledger, open_notices, open_queue

log = logging.getLogger(__name__)


@runtime_checkable
class Versioned(Protocol):
    """A store with a schema."""

    async def migrate(self) -> tuple[int, int]:
        """Brings it to the newest version; gives the one before and the one now.

        Raises:
            SchemaMismatch: It is newer than this code.
            StoreUnavailable: It cannot be reached.
        """

    async def check_schema(self) -> None:
        """Raises `SchemaMismatch` unless the version is this code's, `StoreUnavailable`."""


class _Store(Protocol):
    async def close(self) -> None: ...


class Migrated(BaseModel):
    """What was done to one store."""

    model_config = ConfigDict(frozen=True)

    store: str
    before: int
    now: int


async def migrate(settings: Settings) -> list[Migrated]:
    """Brings all configured stores to this code's version; changes nothing when repeated.

    Args:
        settings: Name the stores.

    Raises:
        SchemaMismatch: A store is newer than this code.
        StoreUnavailable: A store cannot be reached; those before it are done.
    """
    done = []

    async def act(name: str, store: Versioned) -> None:
        before, now = await store.migrate()
        done.append(Migrated(store=name, before=before, now=now))

    await _with_each(settings, act)
    return done


async def require_schema(settings: Settings) -> None:
    """For a process that starts: refuses stores of another version, naming the remedy.

    A store that cannot be reached now does not stop a start; it is looked at again at first use.

    Args:
        settings: Name the stores.

    Raises:
        SchemaMismatch: A store has another version.
    """

    async def act(_: str, store: Versioned) -> None:
        try:
            await store.check_schema()
        except SchemaMismatch:
            raise
        except StoreUnavailable as error:
            log.warning("%s", error.message)

    await _with_each(settings, act)


async def _with_each(settings: Settings, act: Callable[[str, Versioned], Awaitable[None]]) -> None:
    opened: dict[str, _Store] = {
        "graph": open_graph(settings),
        "queue": open_queue(settings),
        "access": open_access(settings),
        "ledger": open_ledger(settings),
    }
    if (notices := open_notices(settings)) is not None:
        opened["notices"] = notices
    try:
        for name, store in opened.items():
            if isinstance(store, Versioned):
                await act(name, store)
    finally:
        for store in opened.values():
            await store.close()
