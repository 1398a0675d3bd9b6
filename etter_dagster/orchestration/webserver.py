"""Dagster's webserver as `etter up` serves it: the same, but deaf to pages of other sites.

It has no authentication, and takes a mutation also by GET: any page that is open in a browser on
this machine could change everything, or read it after giving its own name this machine's address.
What comes from Etter or from Dagster's own page looks otherwise, and is all that is let through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from etter_dagster.origins import is_named_here, names_other_site

_POLICY_VIOLATION = 1008
_REFUSED = "Requests from pages of other sites are not taken."


class OwnPagesOnly:
    """Refuses what a page of another site can make a browser send.

    Args:
        app: Dagster's.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        if scope["type"] == "lifespan" or may_pass(
            scope.get("method"), scope["path"], Headers(scope=scope)
        ):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            await PlainTextResponse(_REFUSED, 403)(scope, receive, send)


def may_pass(method: str | None, path: str, headers: Mapping[str, str]) -> bool:
    """Whether no page of another site can have made a browser send this.

    Args:
        method: Of HTTP; None for a WebSocket.
        path: As asked for.
        headers: By names in lower case.
    """
    asked = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    if not is_named_here(asked) or names_other_site(headers):
        return False
    if method == "POST":  # without a page's own script, a browser sends no JSON
        return headers.get("content-type", "").split(";")[0].strip() == "application/json"
    by_get = method in ("GET", "HEAD") and path.rstrip("/").endswith("/graphql")
    return not by_get or "text/html" in headers.get("accept", "")  # the page to try GraphQL


def main() -> None:
    """Runs the webserver; it takes the arguments of `dagster-webserver`."""
    # Imported here: that alone opens a socket.
    from dagster_webserver.cli import main as serve
    from dagster_webserver.webserver import DagsterWebserver

    unguarded = DagsterWebserver.build_middleware

    def guarded(self: DagsterWebserver[Any, Any]) -> list[Middleware]:
        return [Middleware(OwnPagesOnly), *unguarded(self)]

    DagsterWebserver.build_middleware = guarded  # type: ignore[method-assign]
    serve()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
