"""What has changed between two lists of API keys. What is kept of a key cannot open anything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum

from pydantic import BaseModel, ConfigDict

from etter_dagster.model.api_keys import ApiKey, Scope


class KeyAction(str, Enum):
    """What was done to a key, as the audit log calls it."""

    CREATE = "create_key"
    REVOKE = "revoke_key"
    ROTATE = "rotate_key"  # the same id opens with another secret
    CHANGE = "change_key"


class KeyNote(BaseModel):
    """A key as it is remembered: what it may, and a mark that tells it from its successor."""

    model_config = ConfigDict(frozen=True)

    companies: tuple[str, ...]
    scopes: tuple[Scope, ...]
    expires_at: datetime | None = None
    mark: str

    @classmethod
    def of(cls, key: ApiKey) -> KeyNote:
        """The note of a key."""
        mark = hashlib.sha256(key.sha256.encode()).hexdigest()[:16]
        return cls(companies=key.companies, scopes=key.scopes, expires_at=key.expires_at, mark=mark)


class KeyChange(BaseModel):
    """One key that is new, gone or another."""

    model_config = ConfigDict(frozen=True)

    action: KeyAction
    key_id: str
    note: KeyNote


def notes_of(keys: Iterable[ApiKey]) -> dict[str, KeyNote]:
    """Keys as they are remembered, by id."""
    return {key.id: KeyNote.of(key) for key in keys}


def key_changes(before: Mapping[str, KeyNote], after: Mapping[str, KeyNote]) -> list[KeyChange]:
    """What was done, by key id.

    Args:
        before: The keys as they were.
        after: As they are now.
    """
    changes = []
    for key_id in sorted({*before, *after}):
        old, new = before.get(key_id), after.get(key_id)
        if old == new:
            continue
        if new is None:
            assert old is not None
            action, note = KeyAction.REVOKE, old
        elif old is None:
            action, note = KeyAction.CREATE, new
        else:
            action = KeyAction.CHANGE if old.mark == new.mark else KeyAction.ROTATE
            note = new
        changes.append(KeyChange(action=action, key_id=key_id, note=note))
    return changes
