"""What the onboarding layer works with: settings, stores, assessors, sources, clock."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from etter_dagster.assessors.registry import Assessors, open_assessors
from etter_dagster.model.identity import role_id
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.settings import Settings, get_settings
from etter_dagster.sources import (
    RoleTaxonomyProvider,
    get_document_provider,
    get_role_taxonomy_provider,
)
from etter_dagster.sources.combined import close_all
from etter_dagster.sources.protocols import ListingDocumentProvider
from etter_dagster.sources.registry import get_local_documents, get_local_taxonomy
from etter_dagster.stores import open_graph, open_ledger, open_notices, open_queue
from etter_dagster.stores.ledger import Ledger
from etter_dagster.stores.notices import NoticeStore
from etter_dagster.stores.protocols import ClaimLimits, PushQueue, RoleGraph

if TYPE_CHECKING:
    from etter_dagster.onboarding.steps import Step

SOURCE_CALLS = 16  # of one process at once, for documents of roles that are worked on

LOCAL_AT_ONCE = 24


def utc_now() -> datetime:
    """The present, in UTC."""
    return datetime.now(timezone.utc)


@dataclass
class Services:
    """Everything that accepting and working on pushes needs; tests swap parts.

    `taxonomy` and `document_source` may be remote: the sensors ask them, the walk, and a single
    push for what the catalogue lacks. The local ones may be asked at any time.
    """

    settings: Settings
    graph: RoleGraph
    queue: PushQueue
    ledger: Ledger
    assessors: Assessors
    taxonomy: RoleTaxonomyProvider
    document_source: ListingDocumentProvider
    local_taxonomy: RoleTaxonomyProvider
    local_documents: ListingDocumentProvider
    steps: tuple[Step, ...]
    notices: NoticeStore | None = None  # where nobody is to be told
    clock: Callable[[], datetime] = utc_now
    # A slow source holds none of the threads that assessments need, and gets no flood.
    source_places: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(SOURCE_CALLS)
    )

    @property
    def limits(self) -> ClaimLimits:
        """How many pushes may be processed at once by the settings."""
        return ClaimLimits(
            in_flight=self.settings.max_in_flight,
            per_company=self.settings.max_in_flight_per_company,
        )

    def at_once(self, places: int) -> int:
        """How many roles a run of so many places works on at once.

        An assessor that computes here, instead of waiting for a service, gains nothing from more
        than a few, and a push would be ready only when all that were claimed with it are.

        Args:
            places: `ROLES_PER_RUN`.
        """
        return places if self.assessors.guard is not None else min(places, LOCAL_AT_ONCE)

    @property
    def most_runs(self) -> int:
        """Serving runs at once.

        `MAX_RUNS`, but no more than there are cores where a run is a process of this machine and
        its assessor computes there: each start costs seconds of a core that the others then lack.
        """
        most = self.settings.max_runs
        if self.assessors.guard is not None or self.settings.run_launcher != "process":
            return most
        return min(most, os.cpu_count() or 1)

    async def limits_now(self) -> ClaimLimits:
        """The same, narrowed to what the guard over paid calls lets through at present."""
        limits, guard = self.limits, self.assessors.guard
        if guard is None:
            return limits
        room = await guard.room()
        name = guard.info.name
        return limits.model_copy(
            update={
                "in_flight": limits.in_flight
                if room.closed or room.calls is None
                else min(limits.in_flight, room.calls),
                "closed_assessors": (name,) if room.closed else (),
                "closed_companies": room.closed_companies,
                "paid_assessor": name,
            }
        )

    async def close(self) -> None:
        """Closes assessors and stores."""
        await self.assessors.close()
        await self.ledger.close()
        if self.notices is not None:
            await self.notices.close()
        await self.queue.close()
        await self.graph.close()
        close_all((self.taxonomy, self.document_source))


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
    # Machines whose clocks differ must agree on when a lease ends: it is the store's to say.
    stores_clock = None if clock is utc_now else clock
    ledger = open_ledger(settings, stores_clock)
    return Services(
        settings=settings,
        graph=open_graph(settings, clock),
        queue=open_queue(settings, stores_clock),
        ledger=ledger,
        assessors=open_assessors(settings, ledger, clock),
        taxonomy=get_role_taxonomy_provider(settings),
        document_source=get_document_provider(settings),
        local_taxonomy=get_local_taxonomy(settings),
        local_documents=get_local_documents(settings),
        steps=load_steps(settings),
        notices=open_notices(settings, None if clock is utc_now else clock),
        clock=clock,
    )


async def prepare(services: Services) -> list[str]:
    """Puts the roles of the local taxonomy into the graph, as drafts. Cheap when repeated.

    What a remote taxonomy knows is the taxonomy sensor's work. An entry that it recorded stays.

    Returns:
        Ids of roles that are new.
    """
    entries = await asyncio.to_thread(_all_entries, services.local_taxonomy)
    known = await services.graph.roles_by_id(list(entries)) if entries else {}
    new = [e for rid, e in entries.items() if rid not in known or known[rid].taxonomy is None]
    return await services.graph.put_taxonomy(new) if new else []


def _all_entries(taxonomy: RoleTaxonomyProvider) -> dict[str, TaxonomyEntry]:
    return {
        role_id(entry.company_name, entry.job_title): entry
        for company in taxonomy.get_companies()
        for entry in taxonomy.get_roles_for_company(company)
    }
