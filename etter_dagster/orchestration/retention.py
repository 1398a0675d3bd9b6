"""Pruning Dagster's event log, which forgets nothing by itself: 5-23 kB for each role worked on.

What Dagster shows of roles stays: of each asset and partition the newest materialization and
observation, and a failure newer than that. The rest of runs that ended long ago goes: their logs,
and they themselves once nothing newest is theirs. Ticks are pruned by `dagster.yaml`.
Rests on the tables of the pinned Dagster, and is held by tests over both storages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

import dagster as dg
import sqlalchemy as db
from dagster._core.events import DagsterEventType
from dagster._core.storage.dagster_run import FINISHED_STATUSES, IN_PROGRESS_RUN_STATUSES
from dagster._core.storage.event_log.schema import AssetEventTagsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

from etter_dagster.orchestration.storage import PooledSqliteEventLogStorage

_AT_ONCE = 1000  # rows looked at in one transaction; others write in between
_MATERIALIZED = DagsterEventType.ASSET_MATERIALIZATION.value
_OBSERVED = DagsterEventType.ASSET_OBSERVATION.value
_PLANNED = DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value
# An event of the first kind says nothing any more once there is a newer one of these.
_SUPERSEDED_BY = {
    _MATERIALIZED: (_MATERIALIZED,),
    _OBSERVED: (_OBSERVED,),
    _PLANNED: (_PLANNED, _MATERIALIZED),
}
_events = SqlEventLogStorageTable


@dataclass
class Pruned:
    """What is gone."""

    events: int = 0
    runs: int = 0


def prune(instance: dg.DagsterInstance, before: datetime) -> Pruned:
    """Deletes what is older and no longer newest of anything. Safe to repeat and to interrupt.

    Args:
        instance: With SQLite or PostgreSQL storage.
        before: What happened later stays.
    """
    pruned = Pruned()
    for log in _logs(instance):
        pruned.events += _prune_events(instance, log, before)
        for run_ids in _ended_runs(instance, before):
            pruned.runs += _prune_runs(instance, log, run_ids)
    return pruned


def _logs(instance: dg.DagsterInstance) -> Iterator[SqlEventLogStorage]:
    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage):
        yield storage


def _prune_events(instance: dg.DagsterInstance, log: SqlEventLogStorage, before: datetime) -> int:
    """Events by rising id; each transaction takes the next thousand."""
    active = instance.get_run_ids(dg.RunsFilter(statuses=IN_PROGRESS_RUN_STATUSES))
    old = db.and_(
        _events.c.timestamp < before.astimezone(timezone.utc).replace(tzinfo=None),
        _events.c.run_id.not_in(active),
    )
    gone, last = 0, -1
    while True:
        with log.index_connection() as connection:
            window = [
                row[0]
                for row in connection.execute(
                    db.select(_events.c.id)
                    .where(old, _events.c.id > last)
                    .order_by(_events.c.id)
                    .limit(_AT_ONCE)
                )
            ]
            if not window:
                return gone
            last = window[-1]
            ids = [
                row[0]
                for row in connection.execute(
                    db.select(_events.c.id).where(_events.c.id.in_(window), _says_nothing())
                )
            ]
            connection.execute(
                db.delete(AssetEventTagsTable).where(AssetEventTagsTable.c.event_id.in_(ids))
            )
            connection.execute(db.delete(_events).where(_events.c.id.in_(ids)))
            gone += len(ids)


def _says_nothing() -> db.ColumnElement[bool]:
    """The condition on an event that nobody will ask for: of no asset, or superseded."""
    newer = _events.alias("newer")
    same = db.and_(
        newer.c.asset_key == _events.c.asset_key,
        db.or_(
            newer.c.partition == _events.c.partition,
            db.and_(newer.c.partition.is_(None), _events.c.partition.is_(None)),
        ),
        newer.c.id > _events.c.id,
    )
    superseded = [
        db.and_(
            _events.c.dagster_event_type == kind,
            db.exists().where(same, newer.c.dagster_event_type.in_(kinds)),
        )
        for kind, kinds in _SUPERSEDED_BY.items()
    ]
    return db.or_(_events.c.asset_key.is_(None), *superseded)


def _ended_runs(instance: dg.DagsterInstance, before: datetime) -> Iterator[list[str]]:
    cursor = None
    filters = dg.RunsFilter(statuses=FINISHED_STATUSES, updated_before=before)
    while True:
        run_ids = list(instance.get_run_ids(filters, cursor=cursor, limit=_AT_ONCE))
        if not run_ids:
            return
        cursor = run_ids[-1]
        yield run_ids


def _prune_runs(
    instance: dg.DagsterInstance, log: SqlEventLogStorage, run_ids: Sequence[str]
) -> int:
    """Deletes runs none of whose events is left; of the others their logs."""
    with log.index_connection() as connection:
        needed = {
            row[0]
            for row in connection.execute(
                db.select(_events.c.run_id).where(_events.c.run_id.in_(run_ids)).distinct()
            )
        }
    for run_id in run_ids:
        if run_id not in needed:
            instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        if isinstance(log, PooledSqliteEventLogStorage):
            log.drop_run_log(run_id)
    return len(set(run_ids) - needed)
