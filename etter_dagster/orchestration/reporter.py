"""Tells Dagster what happens to roles, while the event loop goes on."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import dagster as dg

from etter_dagster.onboarding.reporting import Materialization
from etter_dagster.orchestration.metadata import materialization


class DagsterReporter:
    """A `Reporter` that writes Dagster events, in order, from one thread.

    An event takes milliseconds; written from the loop it would hold up all other roles.

    Args:
        log_event: Writes a materialization.
        plan: Says that an asset of a role was to be made; None where the run has planned it.
        ensure_partitions: Adds partitions that are missing.
        parents: The parents of each asset.
    """

    def __init__(
        self,
        *,
        log_event: Callable[[dg.AssetMaterialization], None],
        plan: Callable[[str, str], None] | None,
        ensure_partitions: Callable[[Sequence[str]], None],
        parents: Mapping[str, Sequence[str]],
    ) -> None:
        self._log_event = log_event
        self._plan = plan
        self._ensure_partitions = ensure_partitions
        self._parents = parents
        self._versions: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="dagster-events")

    async def claimed(self, role_ids: Sequence[str]) -> None:
        """The roles' partitions exist afterwards."""
        await self._write(self._ensure_partitions, role_ids)

    async def materialized(self, event: Materialization) -> None:
        """Returns when the event is stored."""
        versions = self._versions[event.role_id]
        known = {
            parent: versions[parent]
            for parent in self._parents.get(event.asset, ())
            if parent in versions
        }
        await self._write(self._log_event, materialization(event, known))
        versions[event.asset] = event.data_version

    async def failed(self, role_id: str, assets: Sequence[str]) -> None:
        """The partitions show as failed once the run has failed."""
        self._versions.pop(role_id, None)
        if self._plan is not None:
            for asset in assets:
                await self._write(self._plan, asset, role_id)

    def close(self) -> None:
        """Returns when everything is written."""
        self._writer.shutdown()

    async def _write(self, act: Callable[..., None], *given: object) -> None:
        loop = asyncio.get_running_loop()
        # What was handed over is written even if who asked is cancelled meanwhile.
        await asyncio.shield(loop.run_in_executor(self._writer, act, *given))
