"""Where a visitor without a session is sent, and back from; `api` decides who gets one."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.web.html import html

START = "/dashboard"
FORM = "application/x-www-form-urlencoded"


def refused(request: Request, error: EtterError) -> Response:
    """The page for a visitor who does not get what was asked.

    A browser that follows a link of another site leaves the session's cookie out (SameSite=Strict).
    It is told to ask once more, which is then our own page's doing.

    Args:
        request: What was asked.
        error: Why not.
    """
    if error.code is not ErrorCode.UNAUTHORIZED:
        headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
        return html(
            "error.html", error.http_status, headers=headers, error=error, refresh=error.retry_after
        )
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return html("again.html", 401)
    asked = request.scope["raw_path"].split(b"?")[0].decode("latin-1")
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/login?next={quote(asked + query, safe='')}", status_code=303)


def login_page(after: str, problem: EtterError | None = None) -> Response:
    """The form.

    Args:
        after: Where to go then.
        problem: Why an attempt failed.
    """
    if problem is None:
        return html("login.html", next=after, problem=None)
    headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after else {}
    text = problem.message.split(";")[0] if problem.http_status == 401 else problem.message
    return html("login.html", problem.http_status, headers=headers, next=after, problem=text)


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form, each once.

    Args:
        body: Of the media type `FORM`.
    """
    found = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=10)
    return {name: values[0] for name, values in found.items()}


def safe_next(target: str | None) -> str:
    """Where to go after logging in: a place of ours, whatever the link said.

    Args:
        target: As it was given.
    """
    if not target or not target.isprintable() or "\\" in target:
        return START
    parts = urlsplit(target)
    ours = not parts.scheme and not parts.netloc and target[0] == "/" and target[1:2] != "/"
    return target if ours else START
