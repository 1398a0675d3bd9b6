"""Working given roles now, with push records of their own: a partition run or a backfill."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Iterable, Sequence

from etter_dagster.model.errors import EtterError, LeaseLost, Postponed
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.push import Push, Source, WorkflowOptions
from etter_dagster.model.role import Role
from etter_dagster.onboarding.accept import new_push
from etter_dagster.onboarding.archive import archive
from etter_dagster.onboarding.check import Checked, PushOrder, Refused, check
from etter_dagster.onboarding.leases import give_back, keep_leases
from etter_dagster.onboarding.reporting import Reporter
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.walk import walk
from etter_dagster.stores.protocols import Claim

UNKNOWN = "no such role: push it, or define it with PUT /roles/{company}/{role}, then run again"


async def work_roles(
    services: Services,
    role_ids: Sequence[str],
    *,
    reporter: Reporter,
    run_id: str | None = None,
    force_rerun: bool = False,
    goes_on_for: Collection[str] = (),
    created_by: str | None = None,
) -> dict[str, str | None]:
    """Works each role through the same walk; a ready, unchanged one succeeds and pays nothing.

    Args:
        services: Stores, assessors, steps.
        role_ids: The roles, any number; at most `ROLES_PER_RUN` at once.
        reporter: Told what was made and what failed.
        run_id: The Dagster run, if any.
        force_rerun: Whether to assess again although nothing changed.
        goes_on_for: Earlier runs; what they have assessed is not forced once more.
        created_by: Who asked, if known.

    Returns:
        For each role None, or why it failed.
    """
    worker = f"partition-{run_id or uuid.uuid4().hex}"
    roles = await services.graph.roles_by_id(role_ids)
    await reporter.claimed(list(roles))
    done = await _assessed_by(services, goes_on_for, roles)
    settings = services.settings
    at_once = settings.assessor_max_concurrent or settings.roles_per_run
    places = asyncio.Semaphore(min(settings.roles_per_run, at_once))

    async def work(role_id: str) -> str | None:
        if role_id not in roles:
            return UNKNOWN
        async with places:
            forced = force_rerun and role_id not in done
            options = WorkflowOptions(force_rerun=forced, notify_on_complete=False)
            return await _work(
                services, roles[role_id], worker, reporter, run_id, options, created_by
            )

    try:
        messages = await asyncio.gather(*(work(role_id) for role_id in role_ids))
    finally:
        await services.queue.leave(worker)
    while await archive(services, tell=reporter.given_up):
        pass
    return dict(zip(role_ids, messages, strict=True))


async def _assessed_by(
    services: Services, runs: Collection[str], role_ids: Iterable[str]
) -> set[str]:
    """Those whose current assessment one of these runs has made."""
    if not runs:
        return set()
    current = {rid: await services.graph.current_assessment(rid) for rid in role_ids}
    return {rid for rid, found in current.items() if found and found.run_id in runs}


async def _work(
    services: Services,
    role: Role,
    worker: str,
    reporter: Reporter,
    run_id: str | None,
    options: WorkflowOptions,
    created_by: str | None,
) -> str | None:
    order = PushOrder(
        company_id=role.company_id,
        role_name=role.role_name,
        options=options,
        source=Source.DAGSTER,
        created_by=created_by,
    )
    try:
        claim = await claim_order(services, order, worker)
        push = await walk_claimed(services, claim, worker, reporter, run_id)
    except EtterError as error:
        return error.message
    except Postponed as error:
        return f"{error}; the role waits in the queue and is worked on when that is over"
    except LeaseLost:
        return "the lease was lost: somebody else goes on with this role"
    if not push.failed:
        return None
    return push.error.message if push.error else f"the role is {push.status.value}"


async def claim_order(services: Services, order: PushOrder, worker: str) -> Claim:
    """Checks an order and takes it at once, past the queue.

    Raises:
        AlreadyProcessing: Somebody else holds the role.
        EtterError: The checks refuse it.
    """
    verdict = (await check(services, [order], ask_sources=True))[0]
    if isinstance(verdict, Refused):
        raise verdict.error
    return await claim_checked(services, verdict, worker)


async def claim_checked(services: Services, verdict: Checked, worker: str) -> Claim:
    """Takes an order that passed the checks.

    Raises:
        AlreadyProcessing: Somebody else holds the role.
    """
    if verdict.role is not None and verdict.role.state is RoleStatus.VALIDATION_ERROR:
        await services.graph.move_role(verdict.role.role_id, RoleStatus.DRAFT)
    return await services.queue.enqueue_claimed(
        new_push(services, verdict), worker=worker, lease_seconds=services.settings.lease_seconds
    )


async def walk_claimed(
    services: Services,
    claim: Claim,
    worker: str,
    reporter: Reporter,
    run_id: str | None,
    *,
    may_wait: bool = True,
) -> Push:
    """Walks one push under a kept lease.

    Raises:
        Postponed: It cannot go on now, and waits in the queue (where it `may_wait`).
        LeaseLost: Somebody else holds it by now.
    """
    async with keep_leases(services, worker, claim):
        try:
            return await walk(services, claim, reporter, run_id=run_id, may_wait=may_wait)
        except Postponed:
            await give_back(services, claim)
            raise
