"""The jobs that put pushes on the queue: one for the platform, one for people."""

from __future__ import annotations

import dagster as dg

from etter_dagster.orchestration.push_known_roles import build_push_known_roles_job
from etter_dagster.orchestration.push_roles import build_push_roles_job
from etter_dagster.settings import Settings


def build_push_jobs(settings: Settings) -> list[dg.JobDefinition]:
    """`push_roles` and `push_known_roles`.

    Args:
        settings: Stores and limits.
    """
    return [build_push_roles_job(settings), build_push_known_roles_job(settings)]
