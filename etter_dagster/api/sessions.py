"""Page sessions: a browser logs in with a key and then holds a cookie, never the key.

The cookie is random and means nothing by itself; the store has its hash. A session ends with its
key: when that is revoked, expires or is replaced. What a browser sends unasked is no proof that the
person wanted it, so a request that changes something must come from a page of ours.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from etter_dagster.api.keyring import Keyring
from etter_dagster.model.api_keys import ApiKey
from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.onboarding.services import utc_now
from etter_dagster.stores.access import AccessStore, Session

COOKIE = "etter_session"
LIFETIME = timedelta(hours=12)
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


async def begin(access: AccessStore, key: ApiKey) -> str:
    """Begins a session of a key.

    Args:
        access: Keeps it.
        key: Valid.

    Returns:
        What the browser is to hold.
    """
    token = secrets.token_urlsafe(32)
    ends = utc_now() + LIFETIME
    session = Session(
        key_id=key.id,
        key_sha256=key.sha256,
        expires_at=min(ends, key.expires_at) if key.expires_at else ends,
    )
    await access.put_session(_hash(token), session)
    return token


async def end(access: AccessStore, connection: HTTPConnection) -> None:
    """Ends the session of a browser, if it has one."""
    if token := connection.cookies.get(COOKIE):
        await access.drop_session(_hash(token))


async def key_of_session(
    access: AccessStore, keyring: Keyring, connection: HTTPConnection
) -> ApiKey | None:
    """The key whose session a browser holds; None if it holds none that counts.

    Args:
        access: Keeps sessions.
        keyring: The keys as they are now.
        connection: The browser's.

    Raises:
        EtterError: `FORBIDDEN`: the request did not come from a page of ours.
    """
    token = connection.cookies.get(COOKIE)
    session = await access.session(_hash(token)) if token else None
    if session is None:
        return None
    key = keyring.key(session.key_id)
    if key is None or key.sha256 != session.key_sha256 or key.expired(utc_now()):
        return None
    require_own_page(connection)
    return key


def require_own_page(connection: HTTPConnection) -> None:
    """Raises `FORBIDDEN` if a request that may change something comes from elsewhere.

    Browsers say where it comes from; one that says nothing is not let in by a cookie.
    """
    if connection.scope.get("method") in _SAFE_METHODS:
        return
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        ours = site == "same-origin"
    else:
        origin = urlsplit(connection.headers.get("origin", ""))
        ours = bool(origin.netloc) and origin.netloc == connection.headers.get("host")
    if not ours:
        raise EtterError(
            ErrorCode.FORBIDDEN, "requests from pages of other sites are not taken; use a key"
        )


def keep(response: Response, token: str, *, secure: bool) -> None:
    """Lets the browser hold a session; no script and no other site gets it.

    Args:
        response: Goes to the browser.
        token: What `begin` gave.
        secure: Whether it may only be sent over https.
    """
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LIFETIME.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=secure,
        path="/",
    )


def forget(response: Response) -> None:
    """Takes the cookie away."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
