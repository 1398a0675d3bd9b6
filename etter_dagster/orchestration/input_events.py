"""Tells Dagster that a role's inputs changed outside a run, so that it shows what was made from
the old ones as out of sync.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from etter_dagster.onboarding.role_setup import RoleSetup, documents_linked, role_made
from etter_dagster.onboarding.services import Services
from etter_dagster.orchestration.runless import runless_reporter

# Roles in one go, for an event takes milliseconds. The others are stale all the same; Dagster shows
# them as synced until the night has assessed them.
AT_MOST = 500


async def report_inputs(
    services: Services, instance: dg.DagsterInstance, role_ids: Sequence[str]
) -> None:
    """Reports node and documents of assessed roles as they are now.

    Both, whichever changed: Dagster compares each asset with the parents it was made from.

    Args:
        services: Graph.
        instance: Who is told.
        role_ids: Roles whose mapping or documents changed; at most `AT_MOST` are reported.
    """
    roles = await services.graph.roles_by_id(role_ids[:AT_MOST])
    reporter = runless_reporter(instance, services.steps)
    try:
        for role in roles.values():
            if role.current is None:
                continue
            documents = await services.graph.documents(role.role_id)
            await reporter.materialized(role_made(role, RoleSetup.code_version))
            await reporter.materialized(documents_linked(role, documents, RoleSetup.code_version))
    finally:
        reporter.close()
