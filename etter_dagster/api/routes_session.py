"""Logging in to the pages with a key, and out again."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from etter_dagster.api import sessions
from etter_dagster.api.access import Caller, key_sent
from etter_dagster.api.common import audit
from etter_dagster.api.routing import read_body
from etter_dagster.api.runtime import runtime_of
from etter_dagster.model.errors import EtterError
from etter_dagster.web.login import START, login_page, read_form, refused, safe_next

router = APIRouter(include_in_schema=False)
_FORM_BYTES = 10_000


@router.get("/login")
async def form(request: Request, next: str | None = None) -> Response:
    """The form; where there are no keys, nobody needs it."""
    if runtime_of(request).keyring is None:
        return RedirectResponse(START, status_code=303)
    return login_page(safe_next(next))


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Begins a session and goes where the person wanted to."""
    after = START
    try:
        sessions.require_own_page(request)
        fields = read_form(await read_body(request, _FORM_BYTES))
        after = safe_next(fields.get("next"))
        key = await key_sent(request, fields.get("key", "").strip())
        opened = await runtime_of(request).opened()
        token = await sessions.begin(opened.access, key)
        await audit(opened.services, Caller.of(key), "log-in", target=key.id)
    except EtterError as error:
        return login_page(after, error)
    response = RedirectResponse(after, status_code=303)
    sessions.keep(response, token, secure=_by_https(request))
    return response


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """Ends the session, here and in the store."""
    runtime = runtime_of(request)
    try:
        sessions.require_own_page(request)
        opened = await runtime.opened()
        if runtime.keyring is not None and (
            key := await sessions.key_of_session(opened.access, runtime.keyring, request)
        ):
            await sessions.end(opened.access, request)
            await audit(opened.services, Caller.of(key), "log-out", target=key.id)
    except EtterError as error:
        return refused(request, error)
    response = RedirectResponse("/login", status_code=303)
    sessions.forget(response)
    return response


def _by_https(request: Request) -> bool:
    # A proxy in front may speak https where we do not see it.
    public = runtime_of(request).settings.dashboard_base_url
    return request.url.scheme == "https" or public.startswith("https:")
