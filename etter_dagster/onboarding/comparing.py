"""Two assessments of a role, fetched and compared."""

from __future__ import annotations

from collections.abc import Sequence

from etter_dagster.model.assessment import Assessment
from etter_dagster.model.comparison import Comparison, compare
from etter_dagster.model.errors import NotFound
from etter_dagster.onboarding.services import Services


async def comparison_of(
    services: Services, rid: str, *, before: str | None = None, after: str | None = None
) -> Comparison:
    """What changed between two assessments of a role.

    Args:
        services: The graph and the settings.
        rid: The role's id.
        before: The assessment to start from; the one made before `after`, if None.
        after: The assessment to explain; the current one, if None.

    Raises:
        NotFound: Unknown role or assessment, or there is none to compare with.
    """
    role = await services.graph.role(rid)
    found = sorted(
        await services.graph.assessments(rid) if role else [], key=lambda one: one.created_at
    )
    if role is None or not found:
        raise NotFound(f"an assessment of {rid}", "push the role first")
    current = role.current.assessment_id if role.current else found[-1].assessment_id
    later = _by_id(found, after or current)
    if before is not None:
        earlier = _by_id(found, before)
    else:
        place = found.index(later)
        if place == 0:
            raise NotFound(
                f"an assessment of {rid} before {later.assessment_id}",
                "two are needed; list them with GET /assessments/{role_id}?history=true",
            )
        earlier = found[place - 1]
    return compare(earlier, later, max_age_days=services.settings.max_assessment_age_days)


def _by_id(found: Sequence[Assessment], wanted: str) -> Assessment:
    for one in found:
        if one.assessment_id == wanted:
            return one
    raise NotFound(
        f"an assessment {wanted} of this role",
        "list them with GET /assessments/{role_id}?history=true",
    )
