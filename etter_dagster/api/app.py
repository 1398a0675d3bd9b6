"""The application: REST under its prefix, metrics and the pages at the root."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from etter_dagster import __version__
from etter_dagster.api import (
    routes_batches,
    routes_dagster,
    routes_documents,
    routes_graphql,
    routes_operations,
    routes_pushes,
    routes_role,
    routes_roles,
    routes_session,
    routes_system,
)
from etter_dagster.api.access import authenticate
from etter_dagster.api.errors import error_response
from etter_dagster.api.routing import ExactPathRoute
from etter_dagster.api.runtime import lifespan, services_of, use_settings
from etter_dagster.settings import Settings
from etter_dagster.web.pages import pages_router

PREFIX = "/api/v1/pipeline"
DESCRIPTION = """Push a role of a company, follow it, read its AI assessment.

Every error of every status has the body
`{"detail": {"error": CODE, "message": ..., "recoverable": ..., "fields"?: [...]}}`.
Names in paths are percent-encoded, `/` too. Times are RFC 3339 in UTC.
"""


def _rest_router() -> APIRouter:
    # The life span opens and closes the services in any app that includes the router.
    rest = APIRouter(lifespan=lifespan)
    for part in (
        routes_pushes,
        routes_batches,
        routes_documents,
        routes_roles,
        routes_role,
        routes_operations,
        routes_system,
    ):
        rest.include_router(part.router)
    return rest


router = _rest_router()


def create_app(settings: Settings | None = None) -> FastAPI:
    """The whole service; opens nothing until it is started or asked.

    Args:
        settings: The environment's, read at the start, if None.
    """
    application = FastAPI(
        title="Etter",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,  # FastAPI's own pages load scripts from elsewhere
        redoc_url=None,
    )
    use_settings(application, settings)
    application.state.etter_logs = True
    application.include_router(router, prefix=PREFIX)
    application.include_router(routes_system.root_router)
    application.include_router(routes_graphql.root_router)
    application.include_router(routes_dagster.router)
    application.include_router(routes_session.router)
    application.include_router(pages_router(services_of, authenticate, ExactPathRoute))
    for status_or_type in (404, 405, Exception):
        application.add_exception_handler(status_or_type, _error)
    return application


async def _error(request: Request, error: Exception) -> Response:
    """For what no route of ours answers."""
    return error_response(error)


app = create_app()
