"""A company taken out of all stores and of Dagster.

The graph comes last: as long as a role is there, the deletion can be repeated, and finds the rest.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import dagster as dg

from etter_dagster.model.errors import NotFound
from etter_dagster.onboarding.services import Services
from etter_dagster.orchestration.partitions import delete_partitions
from etter_dagster.stores.protocols import AuditEntry, PushFilter, PushPage, list_key

_PAGE = 2_000


@dataclass(frozen=True)
class Deleted:
    """What is gone, and what is kept: paid calls, with when they were made and what they cost."""

    company: str
    roles: int
    pushes: int
    partitions: int
    paid_calls_kept: int


async def role_ids_of(services: Services, company_id: str) -> list[str]:
    """Ids of a company's roles.

    Args:
        services: Graph.
        company_id: The company.

    Raises:
        NotFound: It has none.
    """
    ids: list[str] = []
    after = ""
    while page := await services.graph.roles(company_id, after=after, limit=_PAGE):
        ids += [role.role_id for role in page]
        after = list_key(page[-1])
    if not ids:
        raise NotFound(f"a role of '{company_id}'", "`etter companies` lists who has roles")
    return ids


async def delete_company(
    services: Services, instance: dg.DagsterInstance, company_id: str, *, created_by: str | None
) -> Deleted:
    """Deletes everything of a company; the audit log keeps its entries, and gets one of this.

    The ledger keeps that money was spent, and forgets what was answered for it.

    Atomic in each store; one that broke off is repeated. Who pushes meanwhile makes the company
    anew: its keys are revoked before.

    Args:
        services: Stores.
        instance: Its partitions go, and what was reported on them.
        company_id: The company, normalized.
        created_by: Who asks.

    Raises:
        NotFound: It has no role.
        CompanyAtWork: Workers hold pushes of it; nothing is deleted.
    """
    role_ids = await role_ids_of(services, company_id)
    told = await _told(services, company_id)
    pushes = await services.queue.delete_company(company_id)
    if services.notices is not None:
        await services.notices.forget(told)
    await asyncio.to_thread(delete_partitions, instance, role_ids)
    paid = await services.ledger.forget_answers(company_id)
    entry = AuditEntry(
        at=services.clock(),
        actor="cli",
        created_by=created_by,
        action="delete_company",
        company_id=company_id,
        target=company_id,
    )
    roles = await services.graph.delete_company(company_id, entry)
    return Deleted(company_id, roles, pushes, len(role_ids), paid)


async def _told(services: Services, company_id: str) -> list[str]:
    """Ids of pushes and batches that somebody was or is to be told of."""
    where = PushFilter(companies=(company_id,))
    found: dict[str, None] = {}
    for store in (services.queue.list_pushes, services.graph.list_history):
        cursor: str | None = None
        while True:
            page: PushPage = await store(where, cursor=cursor, limit=_PAGE)
            for push in page.items:
                found[push.workflow_id] = None
                if push.batch_id is not None:
                    found[push.batch_id] = None
            cursor = page.next_cursor
            if cursor is None:
                break
    return list(found)
