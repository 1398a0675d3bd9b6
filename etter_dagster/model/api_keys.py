"""API keys: who may call, for which companies, to do what. No file and no request is known here."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from enum import Enum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from etter_dagster.model.identity import normalize_name

PREFIX = "etk_"
EVERY_COMPANY = "*"
_SECRET_BYTES = 32
_ID_BYTES = 4
_MAX_SECRET = 500
_SHA256 = re.compile(r"[0-9a-f]{64}")
KeyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Scope(str, Enum):
    """What a key may do; each scope includes those before it."""

    READ = "read"
    PUSH = "push"
    ADMIN = "admin"

    def includes(self, other: Scope) -> bool:
        """Whether whoever has this scope has the other too."""
        order = list(Scope)
        return order.index(other) <= order.index(self)


class ApiKey(BaseModel):
    """A key as it is kept: by its hash, so that whoever reads the file cannot use it.

    A key is 256 random bits, so that a plain hash of it cannot be turned back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: KeyId
    sha256: str
    companies: tuple[str, ...] = Field(min_length=1)
    scopes: tuple[Scope, ...] = Field(min_length=1)
    expires_at: datetime | None = None

    @field_validator("sha256")
    @classmethod
    def _is_hash(cls, value: str) -> str:
        if not _SHA256.fullmatch(value.lower()):
            raise ValueError("must be the SHA-256 of the key, 64 hex digits")
        return value.lower()

    @field_validator("companies")
    @classmethod
    def _are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(normalize_name(name) for name in value)
        if not all(names):
            raise ValueError("must hold no blank name")
        if EVERY_COMPANY in names and len(names) > 1:
            raise ValueError('must be names, or "*" alone for every company')
        return names

    @field_validator("expires_at")
    @classmethod
    def _has_zone(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=timezone.utc) if value and value.tzinfo is None else value

    @property
    def visible(self) -> frozenset[str] | None:
        """The key's companies; None means every one."""
        return None if EVERY_COMPANY in self.companies else frozenset(self.companies)

    def expired(self, now: datetime) -> bool:
        """Whether the key's time is over."""
        return self.expires_at is not None and self.expires_at <= now


def new_secret() -> str:
    """A new key, to be shown once and kept nowhere."""
    return PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def new_key_id() -> str:
    """An id for a key whose maker gave none."""
    return f"key-{secrets.token_hex(_ID_BYTES)}"


def hash_of(secret: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def key_of(secret: str, keys: Iterable[ApiKey]) -> ApiKey | None:
    """The key that a secret opens, expired or not; takes as long whichever it is.

    Args:
        secret: As the caller sent it.
        keys: All that there are.
    """
    if len(secret) > _MAX_SECRET:
        return None
    wanted, found = hash_of(secret), None
    for key in keys:
        if secrets.compare_digest(key.sha256, wanted):
            found = key
    return found


def duplicates(keys: Sequence[ApiKey]) -> list[str]:
    """Ids that stand on several keys: an audit entry must name one."""
    ids = [key.id for key in keys]
    return sorted({key_id for key_id in ids if ids.count(key_id) > 1})
