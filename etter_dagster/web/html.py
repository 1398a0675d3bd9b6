"""A template as a response: escaped, and with the headers that every page has."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import partial
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, Response

from etter_dagster.web.wording import values, why

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def html(
    template: str, status: int = 200, *, headers: Mapping[str, str] | None = None, **shown: Any
) -> Response:
    """A page.

    Args:
        template: Its file in `templates/`.
        status: The response's status.
        headers: More headers.
        shown: What the template shows.
    """
    text = _environment().get_template(template).render(**shown)
    return HTMLResponse(text, status_code=status, headers={**HEADERS, **(headers or {})})


def _moment(value: datetime | None) -> str:
    return value.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC") if value else "–"


def _day(value: datetime | None) -> str:
    return value.astimezone(timezone.utc).strftime("%Y-%m-%d") if value else "–"


def _score(value: float | None) -> str:
    return f"{value:.1f}" if value is not None else "–"


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("etter_dagster.web"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "moment": _moment,
        "day": _day,
        "score": _score,
        "segment": partial(quote, safe=""),
        "why": why,
        "values": values,
    }
    return made
