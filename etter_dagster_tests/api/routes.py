"""All routes of an app, however its routers are nested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI


def routes_of(app: FastAPI) -> dict[str, Any]:
    """Each route by `METHOD /path`; HEAD and OPTIONS come with GET.

    Args:
        app: The app.
    """
    found = dict(_routes(app.routes, ""))
    assert found
    return found


def _routes(routes: list[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for route in routes:
        if hasattr(route, "original_router"):
            yield from _routes(route.original_router.routes, prefix + route.include_context.prefix)
            continue
        # Whatever else can answer (a mount, a WebSocket) must be found here, too.
        for method in getattr(route, "methods", None) or {type(route).__name__}:
            if method not in ("HEAD", "OPTIONS"):
                yield f"{method} {prefix}{route.path}", route
