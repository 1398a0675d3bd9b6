"""The REST service: `uvicorn etter_dagster.api:app`, or `router` in an app of your own."""

from etter_dagster.api.app import app, create_app, router

__all__ = ["app", "create_app", "router"]
