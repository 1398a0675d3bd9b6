"""The job that works on roles."""

from __future__ import annotations

import dagster as dg

from etter_dagster.orchestration.assets import GROUP
from etter_dagster.orchestration.serving_run import KIND_TAG


def build_onboard_roles() -> dg.UnresolvedAssetJobDefinition:
    """`onboard_roles`: with partitions it works those roles, without it serves the push queue."""
    return dg.define_asset_job(
        "onboard_roles",
        selection=dg.AssetSelection.groups(GROUP),
        executor_def=dg.in_process_executor,
        tags={KIND_TAG: "roles"},  # a serving run's tag takes its place
        description=(
            "Onboards roles. Launched with a partition or a range (a backfill), it works those "
            "roles; without one it serves the push queue until nothing has waited for a while. "
            "The push_queue_sensor launches serving runs by itself. Config `force_rerun` "
            "assesses roles anew although nothing changed."
        ),
    )
