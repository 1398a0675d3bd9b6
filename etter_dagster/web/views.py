"""What each page shows, as plain values for its template."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

from etter_dagster.model.comparison import Comparison
from etter_dagster.model.errors import FieldProblem, NotFound, ValidationFailed
from etter_dagster.model.identity import normalize_name
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.push import Push
from etter_dagster.model.role import Role
from etter_dagster.onboarding.comparing import comparison_of
from etter_dagster.onboarding.documents import documents_view
from etter_dagster.onboarding.listing import list_pushes
from etter_dagster.onboarding.roles import (
    AssessmentView,
    assessment_view,
    list_roles,
    role_view,
    states_of,
)
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import status_of
from etter_dagster.stores.protocols import PushFilter

ROWS = 100
PUSHES = 20
REFRESH = 5  # seconds after which a page of what is in work refreshes itself
_IN_WORK = (RoleStatus.QUEUED, RoleStatus.PROCESSING)


class Visitor(Protocol):
    """Who looks at the pages."""

    @property
    def in_session(self) -> bool:
        """Whether the visitor has logged in."""

    def sees(self, company: str) -> bool:
        """Whether a company is the visitor's."""


async def companies_view(services: Services, visitor: Visitor) -> dict[str, Any]:
    """Companies in the order of a list for people, each with the number of its roles."""
    seen = [name for name in await services.graph.companies() if visitor.sees(name)]
    names = sorted(seen, key=str.casefold)
    return {"companies": [(name, await services.graph.count_roles(name)) for name in names]}


async def company_view(
    services: Services,
    visitor: Visitor,
    *,
    company: str,
    q: str,
    state: str,
    cursor: str | None,
    live: bool,
) -> dict[str, Any]:
    """A page of those of a company's roles that a search means.

    Args:
        services: Stores.
        visitor: Who looks.
        company: The company's name.
        q: What is searched; empty for all.
        state: The state that is searched; empty for all.
        cursor: What the page before gave.
        live: Whether the page is to refresh itself while roles are in work. Only if asked to:
            what somebody is typing into the search would be lost.
    """
    company = normalize_name(company)
    _require(visitor, company)
    every = await services.graph.count_roles(company)
    if not every:
        raise NotFound(f"'{company}'", "see the list of companies")
    rows, total, next_cursor = await list_roles(
        services, company, state=_state(state), q=q, cursor=cursor, limit=ROWS
    )
    queued = [row.workflow_id for row in rows if row.state is RoleStatus.QUEUED and row.workflow_id]
    states = await states_of(services, company)
    working = any(states[one] for one in _IN_WORK)
    watching = {"refresh": "yes"} if live else {}
    searched = {"q": q, "state": state}
    here = {**searched, "cursor": cursor or ""}
    return {
        "company": company,
        "roles": rows,
        "total": total,
        "every": every,
        "next_cursor": next_cursor,
        "cursor": cursor,
        "q": q,
        "state_wanted": state,
        "searched": urlencode({**searched, **watching}),
        "stop": urlencode(here),
        "go": urlencode({**here, "refresh": "yes"}),
        "working": working,
        "live": live,
        "refresh": REFRESH if working and live else None,
        "several": sum(1 for count in states.values() if count) > 1,
        "states": [(one, states[one]) for one in RoleStatus],
        "places": await services.queue.positions(queued) if queued else {},
    }


def _state(text: str) -> RoleStatus | None:
    try:
        return RoleStatus(text) if text else None
    except ValueError:
        legal = ", ".join(RoleStatus)
        raise ValidationFailed(FieldProblem("state", f"is not one of {legal}")) from None


async def role_page_view(
    services: Services, visitor: Visitor, *, company: str, role_id: str, live: bool
) -> dict[str, Any]:
    """A role with its assessment, what is linked to it, and its pushes.

    Args:
        services: Stores.
        visitor: Who looks.
        company: The company's name.
        role_id: A role of it.
        live: Whether the page may refresh itself while the role is in work.
    """
    company = normalize_name(company)
    _require(visitor, company)
    role = await services.graph.role(role_id)
    if role is None or role.company_id != company:
        raise NotFound(f"a role {role_id} of '{company}'", "see the list of the company's roles")
    pushes, more = await list_pushes(services, PushFilter(role_id=role_id), limit=PUSHES)
    active = next((push for push in pushes if not push.status.terminal), None)
    return {
        "company": company,
        "role": await role_view(services, role_id),
        "assessment": await _assessment(services, role_id),
        "documents": (await documents_view(services, role_id)).documents,
        "comparison": await _comparison(services, role_id),
        "skills": await services.graph.skills(role_id),
        "active": await status_of(services, active.workflow_id) if active else None,
        "refresh": REFRESH if active and live else None,
        "trouble": None if active else _trouble(role, pushes),
        "push_command": f"etter push {shlex.quote(company)} {shlex.quote(role.role_name)}",
        "now": services.clock(),
        "pushes": pushes,
        "more_pushes": more is not None,
    }


def _trouble(role: Role, pushes: Sequence[Push]) -> str | None:
    """Why a role did not become ready, in one sentence."""
    if role.state is RoleStatus.VALIDATION_ERROR:
        return "; ".join(mark.required or "" for mark in role.stale_marks) or None
    newest = pushes[0] if pushes else None
    if newest is None or newest.status not in (WorkflowState.FAILED, WorkflowState.DEGRADED):
        return None
    if newest.error:
        return f"{newest.error.code}: {newest.error.message}"
    return next((step.error_message for step in newest.steps if step.error_message), None)


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
