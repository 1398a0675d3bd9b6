"""What Dagster loads: `defs`. Loading does no I/O; what runs opens its stores itself."""

from __future__ import annotations

from typing import Any

import dagster as dg

from etter_dagster.onboarding.step_registry import load_steps
from etter_dagster.orchestration.assets import build_role_assets
from etter_dagster.orchestration.checks import build_checks, build_failed_roles
from etter_dagster.orchestration.jobs import (
    build_check_roles,
    build_onboard_roles,
    build_reassessment_job,
)
from etter_dagster.orchestration.push_known_roles import build_push_known_roles_job
from etter_dagster.orchestration.push_queue_sensor import build_push_queue_sensor
from etter_dagster.orchestration.push_roles import build_push_roles_job
from etter_dagster.orchestration.reassessment import build_reassessment_plan
from etter_dagster.orchestration.schedules import build_hourly_checks, build_nightly_schedule
from etter_dagster.orchestration.source_sensors import (
    build_document_sensor,
    build_taxonomy_sensor,
)
from etter_dagster.settings import Settings, get_settings


def build_definitions(settings: Settings | None = None, **overrides: Any) -> dg.Definitions:
    """Everything Dagster knows of Etter.

    Args:
        settings: The environment's, if None.
        overrides: Parts of `dagster.Definitions` that take the place of ours, by name.
    """
    settings = settings or get_settings()
    onboard_roles = build_onboard_roles()
    reassess, check_roles = build_reassessment_job(), build_check_roles()
    parts: dict[str, Any] = {
        "assets": [
            build_role_assets(settings, load_steps(settings)),
            build_reassessment_plan(settings),
            build_failed_roles(settings),
        ],
        "asset_checks": build_checks(settings),
        "jobs": [
            onboard_roles,
            build_push_roles_job(settings),
            build_push_known_roles_job(settings),
            reassess,
            check_roles,
        ],
        "schedules": [build_nightly_schedule(settings, reassess), build_hourly_checks(check_roles)],
        "sensors": [
            build_push_queue_sensor(settings, onboard_roles),
            build_taxonomy_sensor(settings),
            build_document_sensor(settings),
        ],
        # For what is launched without a job, by "Materialize" or a backfill: seconds faster than a
        # process per op, and a signal reaches the work itself.
        "executor": dg.in_process_executor,
    }
    return dg.Definitions(**{**parts, **overrides})


defs = build_definitions()
