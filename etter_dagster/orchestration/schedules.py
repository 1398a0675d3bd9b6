"""What runs by the clock."""

from __future__ import annotations

import dagster as dg

from etter_dagster.model.push import Source
from etter_dagster.orchestration.run_tags import SCHEDULE, SOURCE_TAG
from etter_dagster.settings import Settings


def build_schedules(
    settings: Settings,
    reassess: dg.UnresolvedAssetJobDefinition,
    check_roles: dg.UnresolvedAssetJobDefinition,
) -> list[dg.ScheduleDefinition]:
    """All schedules.

    Args:
        settings: When.
        reassess: `reassess_stale_roles`.
        check_roles: `check_roles`.
    """
    return [build_nightly_schedule(settings, reassess), build_hourly_checks(check_roles)]


def build_nightly_schedule(
    settings: Settings, job: dg.UnresolvedAssetJobDefinition
) -> dg.ScheduleDefinition:
    """`nightly_reassessment`: carries the plan out every night.

    Args:
        settings: When.
        job: `reassess_stale_roles`.
    """
    return dg.ScheduleDefinition(
        name="nightly_reassessment",
        job=job,
        tags={SOURCE_TAG: Source.NIGHTLY.value},
        cron_schedule=settings.nightly_cron,
        execution_timezone=settings.nightly_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        run_config={"ops": {"reassessment_plan": {"config": {"push": True}}}},
        description=(
            "Assesses stale roles again every night (ETTER_NIGHTLY_CRON): inputs first, then age, "
            "a changed assessor by ETTER_ASSESSOR_ROLLOUT_PERCENT a night, within the budget. Turn "
            "it off to stop re-assessment; what became stale stays marked."
        ),
    )


def build_hourly_checks(job: dg.UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """`hourly_checks`: looks at all roles every hour.

    Args:
        job: `check_roles`.
    """
    return dg.ScheduleDefinition(
        name="hourly_checks",
        job=job,
        tags={SOURCE_TAG: SCHEDULE},
        cron_schedule="7 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=(
            "Makes failed_roles anew and runs the checks over all roles every hour. Turn it off "
            "to save a run an hour; nothing else depends on it."
        ),
    )
