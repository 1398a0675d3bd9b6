"""Each role is a dynamic partition; its key is the role id.

Deleting in bulk rests on the tables of the pinned Dagster, which deletes one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.event_log.schema import (
    AssetEventTagsTable,
    DynamicPartitionsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from sqlalchemy.exc import IntegrityError

roles = dg.DynamicPartitionsDefinition(name="roles")
_DELETED_AT_ONCE = 500
_RACES = 20  # lost in a row; each adds what the next try then finds
_AT_ONCE = 10_000  # one SQLite call fails above some 250,000


def add_partitions(instance: dg.DagsterInstance, role_ids: Iterable[str]) -> None:
    """Adds partitions in bulk; those that exist are left as they are.

    Args:
        instance: Where they are added.
        role_ids: Their keys, any number.
    """
    keys = list(dict.fromkeys(role_ids))
    for start in range(0, len(keys), _AT_ONCE):
        _add(instance, keys[start : start + _AT_ONCE])


def _add(instance: dg.DagsterInstance, keys: Sequence[str]) -> None:
    """Dagster's SQLite storage looks what is missing and adds that; sensor and run do at once."""
    for _ in range(_RACES):
        try:
            instance.add_dynamic_partitions("roles", keys)
        except IntegrityError:  # somebody was faster with one of them
            continue
        return
    instance.add_dynamic_partitions("roles", keys)


def delete_partitions(instance: dg.DagsterInstance, role_ids: Sequence[str]) -> None:
    """Deletes partitions with everything that was reported on them; repeated, it does nothing.

    Logs of runs are left: they go when the run is pruned.

    Args:
        instance: With SQLite or PostgreSQL storage.
        role_ids: Their keys, any number.
    """
    log = instance.event_log_storage
    assert isinstance(log, SqlEventLogStorage)
    events, partitions = SqlEventLogStorageTable, DynamicPartitionsTable
    for start in range(0, len(role_ids), _DELETED_AT_ONCE):
        keys = role_ids[start : start + _DELETED_AT_ONCE]
        theirs = db.select(events.c.id).where(events.c.partition.in_(keys))
        with log.index_connection() as connection:
            for delete in (
                db.delete(AssetEventTagsTable).where(AssetEventTagsTable.c.event_id.in_(theirs)),
                db.delete(events).where(events.c.partition.in_(keys)),
                db.delete(partitions).where(
                    partitions.c.partitions_def_name == roles.name, partitions.c.partition.in_(keys)
                ),
            ):
                connection.execute(delete)


class KnownPartitions:
    """Adds the partitions that are missing, and asks the instance only once for what there is.

    Args:
        instance: Where they are added.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._known: set[str] | None = None

    def ensure(self, role_ids: Iterable[str]) -> None:
        """Adds what is missing of these keys."""
        if self._known is None:
            self._known = set(self._instance.get_dynamic_partitions("roles"))
        missing = [key for key in role_ids if key not in self._known]
        if missing:
            add_partitions(self._instance, missing)
            self._known.update(missing)
