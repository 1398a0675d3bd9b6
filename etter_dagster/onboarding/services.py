"""What the onboarding layer works with: settings, stores, assessors, sources, clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from etter_dagster.assessors.registry import Assessors, open_assessors
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.settings import Settings, get_settings
from etter_dagster.sources import (
    RoleTaxonomyProvider,
    get_document_provider,
    get_role_taxonomy_provider,
)
from etter_dagster.sources.protocols import ListingDocumentProvider
from etter_dagster.stores import open_graph, open_queue
from etter_dagster.stores.protocols import ClaimLimits, PushQueue, RoleGraph

if TYPE_CHECKING:
    from etter_dagster.onboarding.steps import Step


def utc_now() -> datetime:
    """The present, in UTC."""
    return datetime.now(timezone.utc)


@dataclass
class Services:
    """Everything that accepting and working on pushes needs; tests swap parts."""

    settings: Settings
    graph: RoleGraph
    queue: PushQueue
    assessors: Assessors
    taxonomy: RoleTaxonomyProvider
    document_source: ListingDocumentProvider
    steps: tuple[Step, ...]
    clock: Callable[[], datetime] = utc_now

    @property
    def limits(self) -> ClaimLimits:
        """How many pushes may be processed at once."""
        return ClaimLimits(
            in_flight=self.settings.max_in_flight,
            per_company=self.settings.max_in_flight_per_company,
        )

    async def close(self) -> None:
        """Closes assessors and stores."""
        await self.assessors.close()
        await self.queue.close()
        await self.graph.close()


def open_services(
    settings: Settings | None = None, *, clock: Callable[[], datetime] = utc_now
) -> Services:
    """Opens what the settings name; connections are made at first use.

    Args:
        settings: The environment's, if None.
        clock: The present, in UTC.
    """
    # Steps know the services, so they are loaded late.
    from etter_dagster.onboarding.step_registry import load_steps

    settings = settings or get_settings()
    return Services(
        settings=settings,
        graph=open_graph(settings, clock),
        queue=open_queue(settings, clock),
        assessors=open_assessors(settings),
        taxonomy=get_role_taxonomy_provider(settings),
        document_source=get_document_provider(settings),
        steps=load_steps(settings),
        clock=clock,
    )


async def prepare(services: Services) -> list[str]:
    """Puts the roles that the taxonomy knows into the graph, as drafts. Cheap when repeated.

    Returns:
        Ids of roles that are new.
    """
    entries = await asyncio.to_thread(_all_entries, services.taxonomy)
    return await services.graph.put_taxonomy(entries) if entries else []


def _all_entries(taxonomy: RoleTaxonomyProvider) -> list[TaxonomyEntry]:
    return [
        entry
        for company in taxonomy.get_companies()
        for entry in taxonomy.get_roles_for_company(company)
    ]
