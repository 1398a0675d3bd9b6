"""Is a role's current assessment stale now? The role record holds what it takes."""

from __future__ import annotations

from etter_dagster.model.assessment import AssessmentInputs, AssessorInfo
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.role import Role
from etter_dagster.model.staleness import StaleReason, stale_reasons
from etter_dagster.onboarding.services import Services


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
