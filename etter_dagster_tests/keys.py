"""API keys of tests: a file of them, and the headers that a caller sends."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from etter_dagster.model.api_keys import ApiKey, Scope, hash_of
from etter_dagster.settings_keys import read_keys, write_keys


def secret_of(key_id: str) -> str:
    """The key itself; tests name it by its id."""
    return f"etk_{key_id}-secret"


def add_key(
    path: Path,
    key_id: str,
    *companies: str,
    scope: str = "admin",
    expires_at: datetime | None = None,
) -> dict[str, str]:
    """Adds a key to a file and gives its header.

    Args:
        path: The file; made if it is not there.
        key_id: The key's id.
        companies: Its companies; every one, if none is named.
        scope: Its scope.
        expires_at: When it ends, if it does.
    """
    key = ApiKey(
        id=key_id,
        sha256=hash_of(secret_of(key_id)),
        companies=companies or ("*",),
        scopes=(Scope(scope),),
        expires_at=expires_at,
    )
    write_keys(path, [*(read_keys(path) if path.exists() else ()), key])
    return bearer(secret_of(key_id))


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}
