"""Is a role's current assessment stale now? The role record holds what it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from etter_dagster.model.assessment import AssessmentInputs, AssessorInfo
from etter_dagster.model.errors import IllegalMove
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.role import Role
from etter_dagster.model.staleness import StaleReason, stale_reasons
from etter_dagster.onboarding.services import Services

_AT_ONCE = 200


def reasons_now(
    services: Services,
    role: Role,
    *,
    inputs: AssessmentInputs | None = None,
    assessor: AssessorInfo | None = None,
) -> tuple[StaleReason, ...]:
    """Every reason why the role's current assessment is stale; empty if it is not, or has none.

    Args:
        services: Settings, clock, assessors.
        role: The role.
        inputs: The inputs to compare with; as linked now, if None.
        assessor: The assessor to compare with; the configured one, if None.
    """
    if role.current is None:
        return ()
    return stale_reasons(
        role.current.basis,
        inputs=inputs or role.inputs,
        assessor=assessor or services.assessors.configured.info,
        now=services.clock(),
        max_age_days=services.settings.max_assessment_age_days,
    )


def settled_state(services: Services, role: Role) -> tuple[RoleStatus, tuple[StaleReason, ...]]:
    """The role's settled state with staleness taken in, and the reasons for it."""
    reasons = reasons_now(services, role)
    if role.state is RoleStatus.STALE:
        return RoleStatus.STALE, reasons or role.stale_marks
    if reasons and role.state in (RoleStatus.READY, RoleStatus.DEGRADED):
        return RoleStatus.STALE, reasons
    return role.state, reasons


async def mark_stale(services: Services, role_ids: Sequence[str]) -> list[str]:
    """Moves those of the roles whose current assessment no longer holds; gives their ids.

    Args:
        services: Graph, settings, clock, assessors.
        role_ids: Roles of which something changed.
    """
    roles = await services.graph.roles_by_id(role_ids)
    reasons = {rid: reasons_now(services, role) for rid, role in roles.items()}
    movable = (RoleStatus.READY, RoleStatus.DEGRADED)
    stale = [rid for rid in role_ids if reasons.get(rid) and roles[rid].state in movable]

    async def mark(rid: str) -> bool:
        try:
            await services.graph.move_role(rid, RoleStatus.STALE, reasons=reasons[rid])
        except IllegalMove:  # somebody else moved it meanwhile
            return False
        return True

    marked: list[str] = []
    for start in range(0, len(stale), _AT_ONCE):
        some = stale[start : start + _AT_ONCE]
        done = await asyncio.gather(*(mark(rid) for rid in some))
        marked += [rid for rid, moved in zip(some, done, strict=True) if moved]
    return marked
