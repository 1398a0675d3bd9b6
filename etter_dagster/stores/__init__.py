"""The stores, and what REST remembers of callers, opened by what the settings name.

A client of a server is imported where it is used: each takes a tenth of a second of every start.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from etter_dagster.settings import Settings
from etter_dagster.stores.access import AccessStore
from etter_dagster.stores.ledger import Ledger
from etter_dagster.stores.notices import NoticeStore
from etter_dagster.stores.protocols import PushQueue, RoleGraph
from etter_dagster.stores.sqlite_access import SqliteAccess
from etter_dagster.stores.sqlite_graph import SqliteRoleGraph
from etter_dagster.stores.sqlite_ledger import SqliteLedger
from etter_dagster.stores.sqlite_notices import SqliteNotices
from etter_dagster.stores.sqlite_queue import SqlitePushQueue

__all__ = [
    "AccessStore",
    "Ledger",
    "NoticeStore",
    "PushQueue",
    "RoleGraph",
    "open_access",
    "open_graph",
    "open_ledger",
    "open_notices",
    "open_queue",
]


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


def _forward(settings: Settings) -> bool:
    """Whether embedded files follow the code by themselves; elsewhere `etter migrate` does it."""
    return settings.environment == "development"


def open_graph(settings: Settings, clock: Callable[[], datetime] = _utc_now) -> RoleGraph:
    """The graph that the settings name; connected at first use.

    Args:
        settings: `neo4j_uri` and what goes with it, else `data_dir` for the embedded one.
        clock: The present, in UTC.
    """
    if not settings.embedded_graph:
        from etter_dagster.stores.neo4j_graph import Neo4jRoleGraph

        return Neo4jRoleGraph(settings, clock)
    return SqliteRoleGraph(settings.data_dir / "graph.db", clock, forward=_forward(settings))


def open_queue(settings: Settings, clock: Callable[[], datetime] | None = None) -> PushQueue:
    """The queue that the settings name; connected at first use.

    Args:
        settings: `redis_*`, or `data_dir` for the embedded one.
        clock: The present, in UTC; if None, that of the machine which holds the queue.
    """
    if not settings.embedded_queue:
        from etter_dagster.stores.redis_queue import RedisPushQueue

        return RedisPushQueue(settings, clock)
    clock = clock or _utc_now
    return SqlitePushQueue(settings.data_dir / "queue.db", clock, forward=_forward(settings))


def open_access(settings: Settings, clock: Callable[[], datetime] | None = None) -> AccessStore:
    """Where sessions and counts of requests are kept: beside the queue; connected at first use.

    Args:
        settings: `redis_*`, or `data_dir` for the embedded one.
        clock: The present, in UTC; if None, that of the machine which holds it.
    """
    if not settings.embedded_queue:
        from etter_dagster.stores.redis_access import RedisAccess

        return RedisAccess(settings, clock)
    path = settings.data_dir / "access.db"
    return SqliteAccess(path, clock or _utc_now, forward=_forward(settings))


def open_ledger(settings: Settings, clock: Callable[[], datetime] | None = None) -> Ledger:
    """The ledger of paid calls: where the queue is; connected at first use.

    Args:
        settings: `redis_*`, or `data_dir` for the embedded one.
        clock: The present, in UTC; if None, that of the machine which holds the ledger.
    """
    if not settings.embedded_queue:
        from etter_dagster.stores.redis_ledger import RedisLedger

        return RedisLedger(settings, clock)
    clock = clock or _utc_now
    return SqliteLedger(settings.data_dir / "ledger.db", clock, forward=_forward(settings))


def open_notices(
    settings: Settings, clock: Callable[[], datetime] | None = None
) -> NoticeStore | None:
    """Where notifications wait: beside the queue; None where nobody is to be told.

    Args:
        settings: `notify_webhook_url`; `redis_*`, or `data_dir` for the embedded one.
        clock: The present, in UTC; if None, that of the machine which holds it.
    """
    if settings.notify_webhook_url is None:
        return None
    if not settings.embedded_queue:
        from etter_dagster.stores.redis_notices import RedisNotices

        return RedisNotices(settings, clock)
    path = settings.data_dir / "notices.db"
    return SqliteNotices(path, clock or _utc_now, forward=_forward(settings))
