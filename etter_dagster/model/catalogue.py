"""The catalogue: what the sources were last seen to have for a role. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from etter_dagster.model.documents import DocumentType, canonical_text
from etter_dagster.model.taxonomy import TaxonomyEntry

if TYPE_CHECKING:
    from etter_dagster.model.role import Role


class KnownDocument(BaseModel):
    """A document that a source has for a role, without its text.

    `source` and `key` name it; another `fingerprint` says that its text may be another.
    """

    model_config = ConfigDict(frozen=True)

    type: DocumentType
    source: str
    key: str
    fingerprint: str
    name: str | None = None


def changed_types(
    before: Iterable[KnownDocument], now: Iterable[KnownDocument]
) -> frozenset[DocumentType]:
    """Types of which there is a new document, or another one than before.

    One that is gone is no change: what was linked from it stays linked.

    Args:
        before: As recorded.
        now: As listed.
    """
    known = {(document.type, document.fingerprint) for document in before}
    return frozenset(doc.type for doc in now if (doc.type, doc.fingerprint) not in known)


def mapping_after(role: Role, entry: TaxonomyEntry) -> dict[str, str | None]:
    """The Draup role that a role takes over from a new taxonomy entry; empty if it keeps its own.

    A role follows the taxonomy as long as nobody gave it another mapping than the taxonomy's last.

    Args:
        role: With the entry recorded before, if any.
        entry: The taxonomy's now.
    """
    if not (entry.draup_role or entry.draup_role_id):
        return {}
    mapped = role.inputs.draup_role
    if mapped and mapped != _mapping(role.taxonomy):
        return {}
    return {"draup_role_id": entry.draup_role_id, "draup_role_name": entry.draup_role}


def mapping_given(
    role: Role | None, *, draup_role_id: str | None, draup_role_name: str | None
) -> dict[str, str | None]:
    """The Draup role that a role gets from whoever names one; empty where nobody does.

    Id and name are of one Draup role: a part that is given alone takes the place of another one
    with its counterpart, and is added where it was not known.

    Args:
        role: As it is; None: a new one.
        draup_role_id: As given, if it is.
        draup_role_name: As given, if it is.
    """
    known_id = role.draup_role_id if role else None
    known_name = role.draup_role_name if role else None
    if not (draup_role_id or draup_role_name):
        return {}
    if not draup_role_name and (not known_id or known_id == draup_role_id):
        draup_role_name = known_name
    elif not draup_role_id and (
        not known_name or canonical_text(known_name) == canonical_text(draup_role_name or "")
    ):
        draup_role_id = known_id
    return {"draup_role_id": draup_role_id or None, "draup_role_name": draup_role_name or None}


def _mapping(entry: TaxonomyEntry | None) -> str:
    return canonical_text(entry.draup_role or entry.draup_role_id or "") if entry else ""
