"""Who may call: every route declares its scope here with `needs(...)`, and gets a `Caller`.

In development, with no keys defined, whoever is on this machine may do everything. With keys,
`Authorization: Bearer etk_...` says who calls.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection, Request

from etter_dagster.api.runtime import runtime_of
from etter_dagster.model.api_keys import ApiKey, Scope, key_of
from etter_dagster.model.errors import ErrorCode, EtterError, NotFound
from etter_dagster.onboarding.services import utc_now
from etter_dagster.settings_types import is_loopback

READ, PUSH, ADMIN = Scope.READ, Scope.PUSH, Scope.ADMIN
ANONYMOUS = "anonymous"
_IN_PROCESS = "testclient"  # what starlette's TestClient calls itself; no address looks like it
# Puts the key into the OpenAPI document; `authenticate` reads it.
_DOCUMENTED = HTTPBearer(
    auto_error=False, scheme_name="key", description="An API key; see `etter keys create`."
)
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Caller:
    """Who calls: the key's id, its companies (None: all), its scopes."""

    key_id: str
    companies: frozenset[str] | None = None
    scopes: frozenset[Scope] = frozenset()

    @classmethod
    def of(cls, key: ApiKey) -> Caller:
        """Whoever holds a key."""
        return cls(key.id, key.visible, frozenset(key.scopes))

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
    """Finds out who calls.

    Args:
        connection: A request, or a WebSocket.

    Raises:
        EtterError: `UNAUTHORIZED`, `FORBIDDEN`.
    """
    runtime = runtime_of(connection)
    if runtime.keyring is None:
        return _somebody_here(connection, runtime.settings.environment)
    key = key_of(_bearer(connection), runtime.keyring.keys)
    if key is None or key.expired(utc_now()):
        what = "no valid API key" if key is None else "this API key has expired"
        raise EtterError(ErrorCode.UNAUTHORIZED, f"{what}; send Authorization: Bearer")
    return Caller.of(key)


def _bearer(connection: HTTPConnection) -> str:
    kind, _, secret = connection.headers.get("authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def _somebody_here(connection: HTTPConnection, environment: str) -> Caller:
    if environment == "production":  # mounted in another app, our start checks may not have run
        raise EtterError(
            ErrorCode.UNAUTHORIZED, "production takes no call without keys: ETTER_API_KEYS_FILE"
        )
    if not _is_here(connection):
        raise EtterError(
            ErrorCode.FORBIDDEN,
            "without API keys only this machine may call; set ETTER_API_KEYS_FILE to let others in",
        )
    # A page of another site, open in a browser here, must not act for the person there; nor may it
    # read, by giving its own name this machine's address.
    foreign = connection.headers.get("sec-fetch-site") == "cross-site"
    if (foreign and connection.scope.get("method") not in _SAFE_METHODS) or not _is_named_here(
        connection
    ):
        raise EtterError(ErrorCode.FORBIDDEN, "requests from pages of other sites are not taken")
    return Caller(key_id=ANONYMOUS, scopes=frozenset({ADMIN}))


def _is_here(connection: HTTPConnection) -> bool:
    """Whether the request comes from this machine: by loopback, a Unix socket, or in-process."""
    if connection.client is None or connection.client.host in ("", _IN_PROCESS):
        return True
    return is_loopback(connection.client.host.removeprefix("::ffff:"))


def _is_named_here(connection: HTTPConnection) -> bool:
    """Whether the name asked for can only mean this machine or its own network."""
    host = connection.url.hostname or ""
    if "." not in host or host.endswith((".localhost", ".internal")):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


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
