"""Mock pushes of roles that have a paid assessment: they leave the role as it is."""

from __future__ import annotations

from etter_dagster.model.assessment import MOCK_ASSESSOR
from etter_dagster.model.role import Role
from etter_dagster.onboarding.services import Services


def is_mock_beside_paid(services: Services, role: Role | None, use_mock: bool) -> bool:
    """Whether a push only tries the built-in assessor on a role with a paid assessment.

    That one stays current, and the role keeps its state and the push that settled it. What the
    push links counts for later ones, as always.

    Args:
        services: The assessors.
        role: The role; None: a new one.
        use_mock: Of the push.
    """
    if not use_mock or services.assessors.configured.info.name == MOCK_ASSESSOR:
        return False
    current = role.current if role else None
    return current is not None and current.basis.assessor.name != MOCK_ASSESSOR
