"""What each page shows, as plain values for its template."""

from __future__ import annotations

from typing import Any, Protocol

from etter_dagster.model.comparison import Comparison
from etter_dagster.model.errors import NotFound
from etter_dagster.model.identity import normalize_name
from etter_dagster.onboarding.comparing import comparison_of
from etter_dagster.onboarding.documents import documents_view
from etter_dagster.onboarding.listing import list_pushes
from etter_dagster.onboarding.roles import AssessmentView, assessment_view, list_roles, role_view
from etter_dagster.onboarding.services import Services
from etter_dagster.stores.protocols import PushFilter

ROWS = 200
PUSHES = 20


class Visitor(Protocol):
    """Who looks at the pages."""

    @property
    def in_session(self) -> bool:
        """Whether the visitor has logged in."""

    def sees(self, company: str) -> bool:
        """Whether a company is the visitor's."""


async def companies_view(services: Services, visitor: Visitor) -> dict[str, Any]:
    """Companies, each with the number of its roles."""
    names = [name for name in await services.graph.companies() if visitor.sees(name)]
    return {"companies": [(name, await services.graph.count_roles(name)) for name in names]}


async def company_view(
    services: Services, visitor: Visitor, *, company: str, cursor: str | None
) -> dict[str, Any]:
    """A page of a company's roles."""
    company = normalize_name(company)
    _require(visitor, company)
    rows, total, next_cursor = await list_roles(services, company, cursor=cursor, limit=ROWS)
    if not total:
        raise NotFound(f"'{company}'", "see the list of companies")
    return {"company": company, "roles": rows, "total": total, "next_cursor": next_cursor}


async def role_page_view(
    services: Services, visitor: Visitor, *, company: str, role_id: str
) -> dict[str, Any]:
    """A role with its assessment, what is linked to it, and its pushes."""
    company = normalize_name(company)
    _require(visitor, company)
    role = await services.graph.role(role_id)
    if role is None or role.company_id != company:
        raise NotFound(f"a role {role_id} of '{company}'", "see the list of the company's roles")
    pushes, _ = await list_pushes(services, PushFilter(role_id=role_id), limit=PUSHES)
    return {
        "company": company,
        "role": await role_view(services, role_id),
        "assessment": await _assessment(services, role_id),
        "documents": (await documents_view(services, role_id)).documents,
        "comparison": await _comparison(services, role_id),
        "skills": await services.graph.skills(role_id),
        "pushes": pushes,
    }


async def _comparison(services: Services, role_id: str) -> Comparison | None:
    try:
        return await comparison_of(services, role_id)
    except NotFound:
        return None


async def _assessment(services: Services, role_id: str) -> AssessmentView | None:
    try:
        return await assessment_view(services, role_id)
    except NotFound:
        return None


def _require(visitor: Visitor, company: str) -> None:
    # Another's company must look like one that is not known.
    if not visitor.sees(company):
        raise NotFound(f"'{company}'")
