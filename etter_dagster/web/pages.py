"""The pages: companies, their roles, one page a role, the REST routes. No script, nothing remote.

What they show comes from the onboarding layer; who may look is decided by whoever includes them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import FileResponse, RedirectResponse, Response

from etter_dagster.model.errors import EtterError, NotFound
from etter_dagster.onboarding.holding import held_back
from etter_dagster.onboarding.services import Services
from etter_dagster.web.html import html
from etter_dagster.web.login import refused
from etter_dagster.web.reference import routes_of, shapes_of
from etter_dagster.web.views import Visitor, companies_view, company_view, role_page_view

ServicesOf = Callable[[Request], Awaitable[Services]]
_STATIC = Path(__file__).parent / "static"
VisitorOf = Callable[[Request], Awaitable[Visitor]]


def pages_router(
    services_of: ServicesOf, visitor_of: VisitorOf, route_class: type[APIRoute]
) -> APIRouter:
    """The pages' routes, for the root of a server.

    Args:
        services_of: Gives the services of a request.
        visitor_of: Says who looks; raises `EtterError` for one who may not.
        route_class: Reads names with `/` from paths exactly.
    """
    router = APIRouter(route_class=route_class, include_in_schema=False)

    async def shown(
        request: Request, template: str, view: Callable[[Services, Visitor], Awaitable[Any]]
    ) -> Response:
        try:
            visitor = await visitor_of(request)
            services = await services_of(request)
            values = await view(services, visitor)
            held = await held_back(services, values.get("company"))
        except EtterError as error:
            return refused(request, error)
        return html(template, in_session=visitor.in_session, held=held, **values)

    @router.get("/")
    async def root() -> Response:
        return RedirectResponse("/dashboard", status_code=307)

    @router.get("/docs")
    async def reference(request: Request) -> Response:
        # Open to everybody, as the document that it is made of.
        document = request.app.openapi()
        routes, shapes = routes_of(document), shapes_of(document)
        return html("reference.html", routes=routes, shapes=shapes, **document["info"])

    @router.get("/dashboard")
    async def dashboard(request: Request) -> Response:
        return await shown(request, "companies.html", companies_view)

    @router.get("/dashboard/static/etter.css")
    async def style() -> Response:
        return FileResponse(
            _STATIC / "etter.css", media_type="text/css", headers={"Cache-Control": "max-age=300"}
        )

    @router.get("/dashboard/{company:path}/roles/{role_id}")
    async def role(request: Request, company: str, role_id: str, refresh: str = "") -> Response:
        live = refresh != "no"
        view = partial(role_page_view, company=company, role_id=role_id, live=live)
        return await shown(request, "role.html", view)

    @router.get("/dashboard/{company:path}")
    async def roles(
        request: Request,
        company: str,
        q: str = "",
        state: str = "",
        cursor: str | None = None,
        refresh: str = "",
    ) -> Response:
        view = partial(
            company_view,
            company=company,
            q=q.strip(),
            state=state,
            cursor=cursor,
            live=refresh == "yes",
        )
        return await shown(request, "company.html", view)

    async def nothing(rest: str) -> Response:
        return html("error.html", 404, error=NotFound("this address", "see the list of companies"))

    # A stock route: what no page's path fits still gets a page, not JSON.
    router.add_api_route("/dashboard/{rest:path}", nothing, route_class_override=APIRoute)
    return router
