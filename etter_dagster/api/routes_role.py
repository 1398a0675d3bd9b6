"""What one role has: its documents, and its assessments compared."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from etter_dagster.api.common import Reader, ServicesIn, errors, new_router
from etter_dagster.api.routes_roles import require_own
from etter_dagster.model.comparison import Comparison
from etter_dagster.onboarding.comparing import comparison_of
from etter_dagster.onboarding.documents import DocumentsView, documents_view

router = new_router("roles")


@router.get(
    "/assessments/{role_id}/compare",
    responses=errors(404),
    summary="What changed between two assessments of a role, and why",
)
async def compare_assessments(
    role_id: str,
    caller: Reader,
    services: ServicesIn,
    before: Annotated[
        str | None,
        Query(alias="from", description="An assessment id; the one before `to`, if left out."),
    ] = None,
    after: Annotated[
        str | None,
        Query(alias="to", description="An assessment id; the current one, if left out."),
    ] = None,
) -> Comparison:
    """Scores, tasks added, removed and changed, and the causes: inputs, assessor, age."""
    await require_own(services, caller, role_id)
    return await comparison_of(services, role_id, before=before, after=after)


@router.get("/documents/{role_id}", responses=errors(404), summary="Documents of a role")
async def documents(role_id: str, caller: Reader, services: ServicesIn) -> DocumentsView:
    """As linked, a job description also under the usual headings, no sentence lost."""
    await require_own(services, caller, role_id)
    return await documents_view(services, role_id)
