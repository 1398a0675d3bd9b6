"""Changes of API keys into the audit log: each once, whoever of the processes notices it first.

The keys are a file, which other hands change too. So what counts is not who called a command, but
that the list is another than the one last recorded; that one is kept beside the sessions.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import TypeAdapter

from etter_dagster.model.api_keys import EVERY_COMPANY, ApiKey
from etter_dagster.model.key_changes import KeyChange, KeyNote, key_changes, notes_of
from etter_dagster.stores.access import AccessStore
from etter_dagster.stores.protocols import AuditEntry, RoleGraph

BY_COMMAND, BY_FILE = "cli", "keys-file"  # who acted: `etter keys`; unknown, the file changed
_RECORDED = "keys"
_NOTES = TypeAdapter(dict[str, KeyNote])


async def record_keys(
    graph: RoleGraph,
    access: AccessStore,
    keys: Iterable[ApiKey],
    *,
    at: datetime,
    actor: str,
    created_by: str | None = None,
) -> int:
    """Records how the keys differ from those last recorded.

    Args:
        graph: Keeps the audit log.
        access: Remembers what was recorded.
        keys: As they are now, or are about to be.
        at: The present.
        actor: `BY_COMMAND` or `BY_FILE`.
        created_by: Who, where that is known.

    Returns:
        How many keys are new, gone or another.

    Raises:
        StoreUnavailable: Nothing was recorded; who comes next does.
    """
    after = notes_of(keys)
    held = await access.swap(_RECORDED, _NOTES.dump_json(after).decode())
    changes = key_changes(_NOTES.validate_json(held) if held else {}, after)
    entries = [entry for change in changes for entry in _entries(change, at, actor, created_by)]
    try:
        if entries:
            await graph.append_audit(entries)
    except BaseException:
        await access.swap(_RECORDED, held or "{}")
        raise
    return len(changes)


def _entries(
    change: KeyChange, at: datetime, actor: str, created_by: str | None
) -> list[AuditEntry]:
    """One for each company of the key, which is told of no other; of every company, one alone."""
    note = change.note
    ends = note.expires_at
    detail = {
        "scopes": [scope.value for scope in note.scopes],
        "expires_at": f"{ends:%Y-%m-%dT%H:%M:%SZ}" if ends else None,
    }
    companies = [None] if EVERY_COMPANY in note.companies else sorted(note.companies)
    return [
        AuditEntry(
            at=at,
            actor=actor,
            created_by=created_by,
            action=change.action.value,
            company_id=company,
            target=change.key_id,
            detail=detail,
        )
        for company in companies
    ]
