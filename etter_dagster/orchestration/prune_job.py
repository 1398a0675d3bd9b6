"""`prune_events`: the job and the schedule that keep Dagster's storage from growing for ever."""

# Dagster reads an op's annotations as objects: no `from __future__ import annotations` here.

from datetime import datetime, timedelta, timezone

import dagster as dg
from pydantic import Field

from etter_dagster.orchestration.retention import prune
from etter_dagster.orchestration.run_tags import SCHEDULE, SOURCE_TAG, person_asked

KEEP_DAYS = 30.0


class PruneConfig(dg.Config):
    """Run config of `prune_events`."""

    keep_days: float = Field(
        default=KEEP_DAYS,
        ge=0.1,
        description="Days; logs of runs that ended longer ago are deleted, and materializations "
        "that are no longer the newest of their partition.",
    )


@dg.op(description="Deletes old logs and superseded events.")
def delete_old_events(context: dg.OpExecutionContext, config: PruneConfig) -> None:
    """Prunes the instance that the run belongs to."""
    before = datetime.now(timezone.utc) - timedelta(days=config.keep_days)
    gone = prune(context.instance, before)
    context.log.info(f"{gone.events} events and {gone.runs} runs from before {before} deleted")
    context.add_output_metadata({"events": gone.events, "runs": gone.runs})


@dg.job(
    name="prune_events",
    executor_def=dg.in_process_executor,
    tags=person_asked("prune"),
    description=(
        "Deletes what Dagster no longer needs: logs of runs that ended long ago, and events that "
        "newer ones replaced. The newest materialization of each partition and every failure that "
        "still stands are kept; Etter's own history is not touched. Runs daily by itself."
    ),
)
def prune_events() -> None:
    """The job."""
    delete_old_events()


prune_events_daily = dg.ScheduleDefinition(
    name="prune_events_daily",
    job=prune_events,
    tags={SOURCE_TAG: SCHEDULE},
    cron_schedule="30 4 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=f"Prunes Dagster's storage each night; {KEEP_DAYS:g} days are kept.",
)
