"""What Dagster shows after an acceptance test: each role's partitions, and no run in work."""

from __future__ import annotations

import os
from collections.abc import Iterable
from unittest import mock

import dagster as dg
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES

from etter_dagster.settings import get_settings
from etter_dagster_tests.cli.processes import eventually
from etter_dagster_tests.servers.stack import Stack

ASSETS = ("company_role", "job_description", "ai_assessment", "skills_profile")


def every_role_is_materialized(running: Stack, role_ids: Iterable[str]) -> None:
    """Each role's partition of each asset is materialized; no run is left in work.

    Args:
        running: Whose Dagster.
        role_ids: All there are.
    """
    expected = set(role_ids)
    with mock.patch.dict(os.environ, running.variables):
        get_settings.cache_clear()
        with dg.DagsterInstance.get() as instance:
            for asset in ASSETS:
                assert set(instance.get_materialized_partitions(dg.AssetKey(asset))) == expected
            # A killed worker's run too, which the stock launcher shows as running for hours.
            in_work = dg.RunsFilter(statuses=IN_PROGRESS_RUN_STATUSES)
            eventually(lambda: not instance.get_run_ids(in_work), "every run has ended", 240)
    get_settings.cache_clear()
