"""Tells Dagster that a role's inputs changed outside a run, so that it shows what was made from
the old ones as out of sync.

What changed now is told first; then, from where the last tick ended, whatever stale role Dagster
shows otherwise than the graph: there was no time for it, or the tick that found it was killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

import dagster as dg

from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.role import Role
from etter_dagster.onboarding.role_setup import (
    RoleSetup,
    documents_linked,
    documents_version,
    role_made,
    role_version,
)
from etter_dagster.onboarding.rounds import Round
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.tick_time import TickTime
from etter_dagster.orchestration.events import data_versions
from etter_dagster.orchestration.reporter import DagsterReporter
from etter_dagster.orchestration.runless import runless_reporter

_PAGE = 500
_COMPARED = 2_000  # roles of earlier ticks that one tick looks at


async def report_inputs(
    services: Services,
    instance: dg.DagsterInstance,
    round_: Round,
    changed: Iterable[str],
    limit: TickTime,
) -> int:
    """Reports node and documents of assessed roles as they are now, where Dagster shows others.

    Both, whichever changed: Dagster compares each asset with the parents it was made from. A role
    in work is left: its run reports it.

    Args:
        services: Graph, queue.
        instance: Who is told.
        round_: From the last tick; changed.
        changed: Ids of roles whose mapping or documents changed in this tick.
        limit: Once it is over, the next tick goes on; one role is told of in any case.

    Returns:
        How many roles were told of.
    """
    reporter = runless_reporter(instance, services.steps)
    told = 0
    try:
        async for roles, behind in _pages(services, round_, list(dict.fromkeys(changed))):
            for role in await _shown_otherwise(services, instance, roles):
                await _report(services, reporter, role)
                told += 1
                if limit.over:
                    return told
            round_.told = behind
            if limit.over:
                return told
    finally:
        reporter.close()
    return told


async def _pages(
    services: Services, round_: Round, changed: Sequence[str]
) -> AsyncIterator[tuple[Sequence[Role], int]]:
    """Roles to compare, and what the round holds once they are told of."""
    for start in range(0, len(changed), _PAGE):
        found = await services.graph.roles_by_id(changed[start : start + _PAGE])
        yield list(found.values()), round_.told
    for _ in range(0, _COMPARED, _PAGE):
        roles = await services.graph.roles_in([RoleStatus.STALE], after=round_.told, limit=_PAGE)
        yield roles, roles[-1].sequence if len(roles) == _PAGE else 0
        if not round_.told:
            return


async def _shown_otherwise(
    services: Services, instance: dg.DagsterInstance, roles: Sequence[Role]
) -> list[Role]:
    assessed = [role for role in roles if role.current is not None]
    ids = [role.role_id for role in assessed]
    if not ids:
        return []
    nodes, documents = await asyncio.gather(
        asyncio.to_thread(data_versions, instance, "company_role", ids),
        asyncio.to_thread(data_versions, instance, "job_description", ids),
    )
    other = [
        role
        for role in assessed
        if nodes.get(role.role_id) != role_version(role)
        or documents.get(role.role_id) != documents_version(role)
    ]
    active = await services.queue.active([role.role_id for role in other]) if other else {}
    return [role for role in other if role.role_id not in active]


async def _report(services: Services, reporter: DagsterReporter, role: Role) -> None:
    documents = await services.graph.documents(role.role_id)
    await reporter.materialized(role_made(role, RoleSetup.code_version))
    await reporter.materialized(documents_linked(role, documents, RoleSetup.code_version))
