"""Which of a role's documents is its job description, and which are of another kind. Pure.

A document counts for exactly the roles it names. File names that say job description come first,
then PDF, DOCX, text; of those the newest, an undated one last. An image never counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from etter_dagster.model.documents import DocumentType
from etter_dagster.model.identity import normalize_name
from etter_dagster.sources.formats import Format, said_format
from etter_dagster.sources.storable import Id, Text

_JOB_DESCRIPTION = re.compile(r"job[\s_.-]*desc|(?<![^\W_])jd(?![^\W\d_])", re.IGNORECASE)
_KINDS = {
    DocumentType.PROCESS_MAP: re.compile(r"process[\s_.-]*map", re.IGNORECASE),
    DocumentType.SOP: re.compile(
        r"(?<![^\W_])sops?(?![^\W\d_])|standard[\s_.-]*operating[\s_.-]*proc", re.IGNORECASE
    ),
}
_RANKS = {Format.PDF: 0, Format.DOCX: 1, Format.TEXT: 2, Format.HTML: 2}
# What else a version may be told by, where an API gives it.
_VERSION_FIELDS = (
    "updated_at",
    "modified_at",
    "version",
    "etag",
    "checksum",
    "content_hash",
    "sha256",
    "md5",
    "size",
    "size_bytes",
    "file_size",
)
_TIME = TypeAdapter(datetime)


class ListedDocument(BaseModel):
    """A document as the documents API lists it."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)

    id: Id
    roles: Annotated[list[str], BeforeValidator(lambda roles: [] if roles is None else roles)]
    status: str | None = None
    original_filename: Text = None
    observed_content_type: str | None = None
    created_at: Any = None

    @property
    def version(self) -> tuple[object, ...]:
        """What differs between versions of the same document."""
        more = self.model_extra or {}
        return (self.original_filename, self.created_at, *map(more.get, _VERSION_FIELDS))

    @property
    def created(self) -> float | None:
        """When it was made, in seconds; None for one that is undated."""
        try:
            when = _TIME.validate_python(self.created_at)
        except ValidationError:
            return None
        return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()


def chosen_documents(
    documents: Iterable[ListedDocument],
) -> dict[str, dict[DocumentType, ListedDocument]]:
    """By role name and type, the document that counts.

    Args:
        documents: All that the company has.
    """
    usable: dict[str, dict[DocumentType, list[ListedDocument]]] = {}
    for document in documents:
        if document.status not in (None, "ready") or _format(document) is None:
            continue
        for role in {normalize_name(role) for role in document.roles}:
            usable.setdefault(role, {}).setdefault(_type(document), []).append(document)
    return {
        role: {type_: min(of_type, key=_order) for type_, of_type in sorted(types.items())}
        for role, types in usable.items()
    }


def _type(document: ListedDocument) -> DocumentType:
    """A file name that says another kind is no JD, unless it says that too."""
    name = document.original_filename or ""
    if not _JOB_DESCRIPTION.search(name):
        for type_, pattern in _KINDS.items():
            if pattern.search(name):
                return type_
    return DocumentType.JOB_DESCRIPTION


def _format(document: ListedDocument) -> Format | None:
    return said_format(document.original_filename or "", document.observed_content_type)


def _order(document: ListedDocument) -> tuple[bool, int, bool, float, str]:
    says_so = bool(_JOB_DESCRIPTION.search(document.original_filename or ""))
    format_ = _format(document)
    created = document.created
    return (
        not says_so,
        _RANKS[format_] if format_ else len(_RANKS),
        created is None,
        -(created or 0.0),
        document.id,
    )
