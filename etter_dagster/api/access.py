"""Who may call: every route declares its scope here with `needs(...)`, and gets a `Caller`.

In development, with no keys defined, whoever is on this machine may do everything. With keys,
`Authorization: Bearer etk_...` says who calls, or the cookie of a page session (`sessions.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection, Request

from etter_dagster.api.anonymous import require_here
from etter_dagster.api.limits import count_request, count_wrong_key
from etter_dagster.api.runtime import runtime_of
from etter_dagster.api.sessions import key_of_session
from etter_dagster.model.api_keys import ApiKey, Scope, key_of
from etter_dagster.model.errors import ErrorCode, EtterError, NotFound
from etter_dagster.onboarding.services import utc_now

READ, PUSH, ADMIN = Scope.READ, Scope.PUSH, Scope.ADMIN
ANONYMOUS = "anonymous"
# Puts the key into the OpenAPI document; `authenticate` reads it.
_DOCUMENTED = HTTPBearer(
    auto_error=False, scheme_name="key", description="An API key; see `etter keys create`."
)


@dataclass(frozen=True)
class Caller:
    """Who calls: the key's id, its companies (None: all), its scopes; by a key or in a session."""

    key_id: str
    companies: frozenset[str] | None = None
    scopes: frozenset[Scope] = frozenset()
    in_session: bool = False

    @classmethod
    def of(cls, key: ApiKey, *, in_session: bool = False) -> Caller:
        """Whoever holds a key."""
        return cls(key.id, key.visible, frozenset(key.scopes), in_session)

    def may(self, scope: Scope) -> bool:
        """Whether the caller has a scope, by itself or within a greater one."""
        return any(own.includes(scope) for own in self.scopes)

    def sees(self, company: str) -> bool:
        """Whether a company is the caller's."""
        return self.companies is None or company in self.companies

    def visible(self, companies: Sequence[str]) -> list[str]:
        """Those that are the caller's."""
        return [company for company in companies if self.sees(company)]

    def require(self, scope: Scope) -> None:
        """Raises `FORBIDDEN` unless the caller has the scope."""
        if not self.may(scope):
            raise EtterError(ErrorCode.FORBIDDEN, f"this key lacks the scope '{scope.value}'")

    def require_company(self, company: str) -> None:
        """Raises `FORBIDDEN` unless the company, which the caller named, is the caller's."""
        if not self.sees(company):
            raise EtterError(ErrorCode.FORBIDDEN, f"this key has no access to '{company}'")

    def require_every_company(self) -> None:
        """Raises `FORBIDDEN` for a key of some companies: what is asked for is about all."""
        if self.companies is not None:
            raise EtterError(ErrorCode.FORBIDDEN, "this needs a key for every company ('*')")

    def require_owner(self, company: str, what: str) -> None:
        """Raises `NOT_FOUND` unless an id's company is the caller's: it must look unknown."""
        if not self.sees(company):
            raise NotFound(what)


async def authenticate(connection: HTTPConnection) -> Caller:
    """Finds out who calls, by a key or a page session, and counts the request.

    Args:
        connection: A request, or a WebSocket.

    Raises:
        EtterError: `UNAUTHORIZED`, `FORBIDDEN`, `RATE_LIMITED`.
    """
    runtime = runtime_of(connection)
    opened = await runtime.opened()
    if runtime.keyring is None:
        require_here(connection, runtime.settings)
        caller = Caller(key_id=ANONYMOUS, scopes=frozenset({ADMIN}))
    elif "authorization" in connection.headers:
        caller = Caller.of(await key_sent(connection, _bearer(connection)))
    elif key := await key_of_session(opened.access, runtime.keyring, connection):
        caller = Caller.of(key, in_session=True)
    else:
        raise EtterError(ErrorCode.UNAUTHORIZED, "no API key; send Authorization: Bearer")
    await count_request(opened.counts, caller.key_id, runtime.settings.rate_limit_per_minute)
    return caller


def still_sees(connection: HTTPConnection, caller: Caller, company: str) -> bool:
    """Whether a caller's key opens a company still: asked again by what stays open for long.

    Args:
        connection: Of the caller.
        caller: As found out when it began.
        company: Which.
    """
    keyring = runtime_of(connection).keyring
    if keyring is None:
        return True
    key = keyring.key(caller.key_id)
    return key is not None and not key.expired(utc_now()) and Caller.of(key).sees(company)


async def key_sent(connection: HTTPConnection, secret: str) -> ApiKey:
    """The key that a secret opens.

    Args:
        connection: Where it came from.
        secret: As it was sent.

    Raises:
        EtterError: `UNAUTHORIZED`, `RATE_LIMITED`.
    """
    runtime = runtime_of(connection)
    key = key_of(secret, runtime.keyring.keys) if runtime.keyring is not None else None
    if key is None:
        await count_wrong_key((await runtime.opened()).counts, connection)
        raise EtterError(ErrorCode.UNAUTHORIZED, "no valid API key; send Authorization: Bearer")
    if key.expired(utc_now()):
        raise EtterError(ErrorCode.UNAUTHORIZED, "this API key has expired; ask for another")
    return key


def _bearer(connection: HTTPConnection) -> str:
    kind, _, secret = connection.headers["authorization"].partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


class Needs:
    """The dependency that a route declares its scope with."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, request: Request, _: Annotated[object, Depends(_DOCUMENTED)]) -> Caller:
        """The caller, whom the route has found out; refuses one without the scope."""
        caller: Caller = request.state.caller
        caller.require(self.scope)
        return caller


class NeedsNothing:
    """The dependency of a route that everybody may call."""

    scope = None

    def __call__(self) -> None:
        """Nobody is found out."""


@functools.cache
def needs(scope: Scope | None) -> Needs | NeedsNothing:
    """The dependency for a scope: `READ`, `PUSH`, `ADMIN`, or None for no key at all.

    Args:
        scope: The least that a caller must have.
    """
    return Needs(scope) if scope is not None else NeedsNothing()
