"""Companies, their roles, assessments and history."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from etter_dagster.api.access import Caller
from etter_dagster.api.common import (
    Cursor,
    Limit,
    Pusher,
    Reader,
    ServicesIn,
    audit,
    errors,
    new_router,
)
from etter_dagster.api.orders import role_documents
from etter_dagster.api.schemas import RoleBody
from etter_dagster.model.errors import NotFound
from etter_dagster.model.identity import normalize_name
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.onboarding.listing import list_pushes
from etter_dagster.onboarding.roles import (
    AssessmentView,
    RoleView,
    assessment_history,
    assessment_view,
    define_role,
    list_roles,
)
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.views import (
    AssessmentsView,
    CompaniesView,
    HistoryPage,
    PushItem,
    RolesPage,
)
from etter_dagster.stores.protocols import PushFilter

router = new_router("roles")


@router.get("/companies", responses=errors(), summary="Companies with at least one role")
async def companies(caller: Reader, services: ServicesIn) -> CompaniesView:
    """Only those of the key."""
    names = caller.visible(await services.graph.companies())
    return CompaniesView(companies=tuple(names), total_count=len(names))


@router.get("/roles/{company_name:path}", responses=errors(), summary="Roles of a company")
async def roles(
    company_name: str,
    caller: Reader,
    services: ServicesIn,
    state: RoleStatus | None = None,
    q: Annotated[
        str | None,
        Query(description="Part of the role's or its Draup role's name, whatever its case."),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> RolesPage:
    """Every known role, by name; an unknown company has none."""
    caller.require_company(normalize_name(company_name))
    rows, total, next_cursor = await list_roles(
        services, company_name, state=state, q=q, cursor=cursor, limit=limit
    )
    return RolesPage(
        company_name=company_name, roles=tuple(rows), total_count=total, next_cursor=next_cursor
    )


@router.put(
    "/roles/{company_name:path}/{role_name:path}",
    responses=errors(413, 415),
    summary="Define or mend a role",
)
async def put_role(
    company_name: str, role_name: str, body: RoleBody, caller: Pusher, services: ServicesIn
) -> RoleView:
    """Its Draup role and documents; what is left out stays. Nothing is queued."""
    company = normalize_name(company_name)
    caller.require_company(company)
    view = await define_role(
        services,
        company_name,
        role_name,
        draup_role_id=body.draup_role_id,
        draup_role_name=body.draup_role_name,
        documents=role_documents(body.documents),
    )
    await audit(
        services,
        caller,
        "define-role",
        target=view.role_id,
        company_id=company,
        created_by=body.created_by,
        documents=len(body.documents or ()),
    )
    return view


@router.get("/history/{company_id:path}", responses=errors(), summary="Pushes of a company")
async def history(
    company_id: str,
    caller: Reader,
    services: ServicesIn,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> HistoryPage:
    """Newest first; an unknown company has none."""
    company = normalize_name(company_id)
    caller.require_company(company)
    where = PushFilter(companies=(company,))
    pushes, next_cursor = await list_pushes(services, where, cursor=cursor, limit=limit)
    return HistoryPage(items=tuple(PushItem.of(p) for p in pushes), next_cursor=next_cursor)


@router.get("/assessments/{role_id}", responses=errors(404), summary="Assessments of a role")
async def assessments(
    role_id: str,
    caller: Reader,
    services: ServicesIn,
    history: bool = Query(False, description="All of them, newest first."),
) -> AssessmentView | AssessmentsView:
    """The current one, with scores, tasks and whether it is stale."""
    await require_own(services, caller, role_id)
    if history:
        found = await assessment_history(services, role_id)
        return AssessmentsView(assessments=tuple(found))
    return await assessment_view(services, role_id)


async def require_own(services: Services, caller: Caller, role_id: str) -> None:
    """Refuses a role that is not known, or not the caller's; both look the same.

    Raises:
        NotFound: It is one of these.
    """
    role = await services.graph.role(role_id)
    if role is None:
        raise NotFound(role_id, "list the company's roles with GET /roles/{company_name}")
    caller.require_owner(role.company_id, role_id)
