"""Development without keys: whether a request comes from whoever sits at this machine."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.origins import is_named_here, names_other_site
from etter_dagster.settings import Settings
from etter_dagster.settings_types import is_loopback

_IN_PROCESS = "testclient"  # what starlette's TestClient calls itself; no address looks like it
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def require_here(connection: HTTPConnection, settings: Settings) -> None:
    """Raises unless a call without a key may be taken.

    Args:
        connection: The request.
        settings: Without keys.

    Raises:
        EtterError: `UNAUTHORIZED`, `FORBIDDEN`.
    """
    if settings.environment == "production":  # in another app our start checks may not have run
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
    acts = connection.scope.get("method") not in _SAFE_METHODS
    named_here = is_named_here(connection.url.hostname or "")
    if (acts and _is_foreign(connection)) or not named_here:
        raise EtterError(ErrorCode.FORBIDDEN, "requests from pages of other sites are not taken")


def _is_here(connection: HTTPConnection) -> bool:
    """Whether the request comes from this machine: by loopback, a Unix socket, or in-process."""
    if connection.client is None or connection.client.host in ("", _IN_PROCESS):
        return True
    return is_loopback(connection.client.host.removeprefix("::ffff:"))


def _is_foreign(connection: HTTPConnection) -> bool:
    """Whether a browser says that a page of another site asks."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site == "cross-site"
    # Browsers do not say it to addresses that they do not trust, such as 0.0.0.0.
    return names_other_site(connection.headers)
