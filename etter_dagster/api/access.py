"""Who may call: every route declares its scope here with `needs(...)`, and gets a `Caller`.

In development, with no keys defined, whoever is on this machine may do everything. Keys, their
companies and scopes come in at `authenticate`; routes then need no change.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from etter_dagster.model.errors import ErrorCode, EtterError, NotFound
from etter_dagster.settings import Settings
from etter_dagster.settings_types import is_loopback

READ, PUSH, ADMIN = "read", "push", "admin"
# What a scope includes.
_INCLUDES = {READ: {READ}, PUSH: {READ, PUSH}, ADMIN: {READ, PUSH, ADMIN}}
ANONYMOUS = "anonymous"
_IN_PROCESS = "testclient"  # what starlette's TestClient calls itself; no address looks like it


@dataclass(frozen=True)
class Caller:
    """Who calls: the key's id, its companies (None: all), its scopes."""

    key_id: str
    companies: frozenset[str] | None = None
    scopes: frozenset[str] = frozenset()

    def may(self, scope: str) -> bool:
        """Whether the caller has a scope, by itself or within a greater one."""
        return any(scope in _INCLUDES[own] for own in self.scopes)

    def sees(self, company: str) -> bool:
        """Whether a company is the caller's."""
        return self.companies is None or company in self.companies

    def visible(self, companies: Sequence[str]) -> list[str]:
        """Those that are the caller's."""
        return [company for company in companies if self.sees(company)]

    def require_company(self, company: str) -> None:
        """Raises `FORBIDDEN` unless the company, which the caller named, is the caller's."""
        if not self.sees(company):
            raise EtterError(ErrorCode.FORBIDDEN, f"this key has no access to '{company}'")

    def require_owner(self, company: str, what: str) -> None:
        """Raises `NOT_FOUND` unless an id's company is the caller's: it must look unknown."""
        if not self.sees(company):
            raise NotFound(what)


def authenticate(request: Request, settings: Settings) -> Caller:
    """Finds out who calls.

    Args:
        request: The request.
        settings: Say whether there are keys.

    Raises:
        EtterError: `UNAUTHORIZED`, `FORBIDDEN`.
    """
    if settings.api_keys_file is not None:
        raise EtterError(ErrorCode.UNAUTHORIZED, "no valid API key; send Authorization: Bearer")
    if not _is_here(request):
        raise EtterError(
            ErrorCode.FORBIDDEN,
            "without API keys only this machine may call; set ETTER_API_KEYS_FILE to let others in",
        )
    if request.headers.get("sec-fetch-site") == "cross-site" and request.method != "GET":
        # A page of another site, open in a browser here, must not act for the person there.
        raise EtterError(ErrorCode.FORBIDDEN, "requests from pages of other sites are not taken")
    return Caller(key_id=ANONYMOUS, scopes=frozenset({ADMIN}))


def _is_here(request: Request) -> bool:
    """Whether the request comes from this machine: by loopback, a Unix socket, or in-process."""
    if request.client is None or request.client.host in ("", _IN_PROCESS):
        return True
    return is_loopback(request.client.host.removeprefix("::ffff:"))


class Needs:
    """The dependency that a route declares its scope with; `None` lets everybody in."""

    def __init__(self, scope: str | None) -> None:
        self.scope = scope

    def __call__(self, request: Request) -> Caller:
        """The caller, whom the route has found out; refuses one without the scope."""
        caller: Caller = request.state.caller
        if self.scope is not None and not caller.may(self.scope):
            raise EtterError(ErrorCode.FORBIDDEN, f"this key lacks the scope '{self.scope}'")
        return caller


@functools.cache
def needs(scope: str | None) -> Callable[[Request], Caller]:
    """The dependency for a scope: `read`, `push`, `admin`, or None for no key at all.

    Args:
        scope: The least that a caller must have.
    """
    return Needs(scope)
