"""What Dagster loads: `defs`. Loading does no I/O; what runs opens its stores itself."""

from __future__ import annotations

from typing import Any

import dagster as dg

from etter_dagster.onboarding.services import open_services
from etter_dagster.orchestration.assets import build_role_assets
from etter_dagster.orchestration.checks import build_checks, build_failed_roles
from etter_dagster.orchestration.jobs import (
    build_check_roles,
    build_onboard_roles,
    build_reassessment_job,
)
from etter_dagster.orchestration.prune_job import prune_events, prune_events_daily
from etter_dagster.orchestration.push_jobs import build_push_jobs
from etter_dagster.orchestration.push_queue_sensor import build_push_queue_sensor
from etter_dagster.orchestration.reassessment import build_reassessment_plan
from etter_dagster.orchestration.schedules import build_schedules
from etter_dagster.orchestration.source_sensors import build_source_sensors
from etter_dagster.settings import Settings, get_settings


def build_definitions(settings: Settings | None = None, **overrides: Any) -> dg.Definitions:
    """Everything Dagster knows of Etter.

    Args:
        settings: The environment's, if None.
        overrides: Parts of `dagster.Definitions` that take the place of ours, by name.
    """
    settings = settings or get_settings()
    if settings.environment == "production":  # the daemon and runs load nothing of ours before
        settings.require_startable()
    services = open_services(settings)  # nothing is connected before its first use
    onboard_roles = build_onboard_roles()
    reassess, check_roles = build_reassessment_job(), build_check_roles()
    parts: dict[str, Any] = {
        "assets": [
            build_role_assets(settings, services.steps, services.assessors.configured.info),
            build_reassessment_plan(settings),
            build_failed_roles(settings),
        ],
        "asset_checks": build_checks(settings),
        "jobs": [onboard_roles, reassess, check_roles, prune_events, *build_push_jobs(settings)],
        "schedules": [*build_schedules(settings, reassess, check_roles), prune_events_daily],
        "sensors": [
            build_push_queue_sensor(settings, onboard_roles),
            *build_source_sensors(settings),
        ],
        # For what is launched without a job, by "Materialize" or a backfill: seconds faster than a
        # process per op, and a signal reaches the work itself.
        "executor": dg.in_process_executor,
    }
    return dg.Definitions(**{**parts, **overrides})


defs = build_definitions()
