"""The one module that uses Dagster's private API, for what its public one cannot say.

Each use is held by a test, so that an upgrade that breaks it is seen. Measured on 1.13.27.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent
from dagster._utils.schedules import get_smallest_cron_interval

STEP_KEY = "onboard"  # of the one op that makes all assets of roles


def plan(context: dg.AssetExecutionContext, asset: str, role_id: str) -> None:
    """Says that this run was to make an asset of a role.

    If the run then fails, and nothing made it since, Dagster shows exactly this partition as
    failed. So it is said at the moment a role fails, never before: of a run that is killed, all
    planned partitions show as failed.

    Args:
        context: Of an op without a partition (a run with one has planned its own).
        asset: The asset's name.
        role_id: The partition.
    """
    event = DagsterEvent.build_asset_materialization_planned_event(
        context.job_name,
        context.op_execution_context.get_step_execution_context().step.key,
        AssetMaterializationPlannedData(dg.AssetKey(asset), partition=role_id),
    )
    context.instance.report_dagster_event(event, context.run.run_id, logging.DEBUG)


def plan_for(
    instance: dg.DagsterInstance, run_id: str | None, assets: Sequence[str], role_id: str
) -> None:
    """Says that a run, which was lost, was to make assets of a role; see `plan`.

    Args:
        instance: Of the run.
        run_id: The run; nothing is said of one that is gone.
        assets: Their names.
        role_id: The partition.
    """
    run = instance.get_run_by_id(run_id) if run_id else None
    if run is None:
        return
    for asset in assets:
        event = DagsterEvent.build_asset_materialization_planned_event(
            run.job_name,
            STEP_KEY,
            AssetMaterializationPlannedData(dg.AssetKey(asset), partition=role_id),
        )
        instance.report_dagster_event(event, run.run_id, logging.DEBUG)


def newest_event(instance: dg.DagsterInstance) -> int | None:
    """The id of the newest event in Dagster's log, of whatever run; None if there is none.

    Taken right after an event was logged, it points at that event for those who look for what
    happened to its partition later: nobody else works on the role meanwhile. Logging itself does
    not say the id.

    Args:
        instance: Whose log is asked.
    """
    return instance.event_log_storage.get_maximum_record_id()


def smallest_interval(cron: str) -> timedelta:
    """The shortest time between two ticks of a cron schedule, as Dagster reckons it.

    Args:
        cron: The schedule.
    """
    return get_smallest_cron_interval(cron)


def data_versions(
    instance: dg.DagsterInstance, asset: str, partitions: Sequence[str] | None = None
) -> dict[str, str]:
    """The data version of each partition's newest materialization, in one read.

    Partitions without a materialization, or with one that has no version, are absent.

    Args:
        instance: Whose log is asked.
        asset: The asset's name.
        partitions: Only these, some thousands at most; all, if None.
    """
    found = instance.event_log_storage.get_latest_tags_by_partition(
        dg.AssetKey(asset),
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        [DATA_VERSION_TAG],
        partitions,
    )
    return {
        partition: tags[DATA_VERSION_TAG]
        for partition, tags in found.items()
        if DATA_VERSION_TAG in tags
    }
