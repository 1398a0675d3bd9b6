"""The stand-in as one ASGI app: which services it serves, and how a connection is cut."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from etter_dagster_tests.standin.assessment_api import CUT, assessment_router
from etter_dagster_tests.standin.state import StandinState


def create_standin(state: StandinState) -> ASGIApp:
    """The outside services in one app.

    Args:
        state: What they know, and how they fail; shared with the test.
    """
    app = FastAPI(title="Stand-in of the outside services", docs_url=None, redoc_url=None)
    app.include_router(assessment_router(state))
    return with_scissors(app)


def with_scissors(app: ASGIApp) -> ASGIApp:
    """The same app, which can cut its connections."""

    async def cutting(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, CUT: lambda: _cut(send)}, receive, send)

    return cutting


def _cut(send: Send) -> None:
    """Breaks the client's connection at once, without any answer."""
    # uvicorn gives a bound method of the object that owns the connection; there is no official
    # way to it. In process there is no connection: the caller sees the error itself.
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("cut by the stand-in")
    transport.abort()
