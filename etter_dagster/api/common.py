"""What the routes share: parameters, the documented errors, and the audit entry of a change."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query

from etter_dagster.api.access import ADMIN, PUSH, READ, Caller, needs
from etter_dagster.api.idempotency import idempotency_key, once_of
from etter_dagster.api.routing import EtterRoute
from etter_dagster.api.runtime import Opened, opened_of, services_of
from etter_dagster.api.schemas import ErrorBody
from etter_dagster.onboarding.once import Once
from etter_dagster.onboarding.services import Services
from etter_dagster.stores.protocols import AuditEntry

Reader = Annotated[Caller, Depends(needs(READ))]
Pusher = Annotated[Caller, Depends(needs(PUSH))]
Admin = Annotated[Caller, Depends(needs(ADMIN))]
ServicesIn = Annotated[Services, Depends(services_of)]
OpenedIn = Annotated[Opened, Depends(opened_of)]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows of a page.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]
UseMock = Annotated[
    bool, Query(description="Assess with the built-in assessor, whatever is configured.")
]
PushSource = Annotated[
    Literal["cli", "page"] | None,
    Header(alias="X-Etter-Source", description="Through what a person asks; else `rest`."),
]
OnceIn = Annotated[Once | None, Depends(once_of)]
ONCE = [Depends(idempotency_key)]

_ERRORS = {
    400: "A value that the checks refuse",
    401: "No valid key",
    403: "A company or scope that is not the key's",
    404: "Not known",
    405: "Wrong method",
    409: "Not in this state",
    413: "Too large",
    415: "Wrong media type",
    422: "A body or parameter that breaks the schema",
    429: "Try again later; see Retry-After",
    500: "A bug; says a trace id",
    503: "A store or source cannot be reached; see Retry-After",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: those that every route may give, and these."""
    every = (400, 401, 403, 405, 422, 429, 500, 503)
    return {
        status: {"model": ErrorBody, "description": _ERRORS[status]}
        for status in sorted({*every, *statuses})
    }


def new_router(tag: str) -> APIRouter:
    """A router of REST routes."""
    return APIRouter(
        route_class=EtterRoute,
        tags=[tag],
        generate_unique_id_function=lambda route: f"{tag}_{route.name}",
    )


async def audit(
    services: Services,
    caller: Caller,
    action: str,
    *,
    target: str,
    company_id: str | None = None,
    created_by: str | None = None,
    **detail: Any,
) -> None:
    """Records who did what.

    Args:
        services: The graph keeps it.
        caller: Who.
        action: What, e.g. `push`.
        target: To what: an id.
        company_id: Of which company; if of none, each of the caller's companies has the entry.
        created_by: Who, as the caller says.
        detail: More, plain values only.
    """
    entry = AuditEntry(
        at=services.clock(),
        actor=caller.key_id,
        created_by=created_by,
        action=action,
        company_id=company_id,
        target=target,
        detail=detail,
    )
    of_each = sorted(caller.companies or ()) if company_id is None else ()
    entries = [entry.model_copy(update={"company_id": company}) for company in of_each]
    await services.graph.append_audit(entries or [entry])
