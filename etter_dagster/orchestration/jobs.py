"""The jobs over assets."""

from __future__ import annotations

import dagster as dg

from etter_dagster.orchestration.assets import GROUP
from etter_dagster.orchestration.run_tags import person_asked


def build_onboard_roles() -> dg.UnresolvedAssetJobDefinition:
    """`onboard_roles`: with partitions it works those roles, without it serves the push queue."""
    return dg.define_asset_job(
        "onboard_roles",
        selection=dg.AssetSelection.groups(GROUP),
        executor_def=dg.in_process_executor,
        # A serving run's tags take their place.
        tags=person_asked("roles", "interactive"),
        description=(
            "Onboards roles. Launched with a partition or a range (a backfill), it works those "
            "roles; without one it serves the push queue until nothing has waited for a while. "
            "The push_queue_sensor launches serving runs by itself. Config `force_rerun` "
            "assesses roles anew although nothing changed."
        ),
    )


def build_reassessment_job() -> dg.UnresolvedAssetJobDefinition:
    """`reassess_stale_roles`: materializes the plan."""
    return dg.define_asset_job(
        "reassess_stale_roles",
        selection=dg.AssetSelection.assets("reassessment_plan"),
        executor_def=dg.in_process_executor,
        tags=person_asked("plan", "background"),
        description=(
            "Makes the plan of what is stale, as the nightly schedule does. With `push: true` in "
            "the config of reassessment_plan it is carried out now instead of tonight."
        ),
    )


def build_check_roles() -> dg.UnresolvedAssetJobDefinition:
    """`check_roles`: makes `failed_roles` anew and runs all checks."""
    return dg.define_asset_job(
        "check_roles",
        selection=dg.AssetSelection.assets("failed_roles"),  # its checks come along
        executor_def=dg.in_process_executor,
        tags=person_asked("checks"),
        description=(
            "Looks at all roles: makes failed_roles anew, and checks that every ready role is "
            "assessed, that Dagster and the graph agree, and that few pushes fail. Runs every "
            "hour; launch it to know now. Changes nothing."
        ),
    )
