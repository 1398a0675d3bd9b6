"""The tags that say what a run is and who asked for it."""

from __future__ import annotations

import dagster as dg

from etter_dagster.model.push import Source

KIND_TAG = "etter/kind"  # `serving`, or `roles` for a run with partitions
SOURCE_TAG = "etter/source"  # who asked, as in a push's `source`; or `queue`, or `schedule`
LANE_TAG = "etter/lane"  # of the pushes that a run makes or works; `none` where it has none
LAUNCH_TAG = "etter/launch"  # the sensor names a run's worker by it
SCHEDULE = "schedule"


def person_asked(kind: str, lane: str = "none") -> dict[str, str]:
    """The tags of a run that a person launches in Dagster.

    Args:
        kind: What it is.
        lane: Of its pushes.
    """
    return {KIND_TAG: kind, SOURCE_TAG: Source.DAGSTER.value, LANE_TAG: lane}


def complete_tags(context: dg.AssetExecutionContext, kind: str, lane: str = "none") -> None:
    """Adds what a run lacks that was launched past our jobs: `Materialize`, or a backfill.

    Args:
        context: Of the run.
        kind: What it is.
        lane: Of its pushes.
    """
    asked = person_asked(kind, lane)
    missing = {key: value for key, value in asked.items() if key not in context.run.tags}
    if missing:
        context.instance.add_run_tags(context.run.run_id, missing)
