"""What a source of roles and a source of documents is. Both are synchronous: they do plain I/O,
and callers in an event loop put them on a thread.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.taxonomy import TaxonomyEntry


@runtime_checkable
class RoleTaxonomyProvider(Protocol):
    """Knows companies and their roles. Names are compared exactly, up to NFC and outer space.

    A read that fails, also half-way (one page of several), raises `SourceUnavailable`; an empty
    answer means that there is nothing.
    """

    def get_companies(self) -> Sequence[str]:
        """Names of the companies that have roles."""

    def get_roles_for_company(
        self, company_name: str, status_filter: str | None = None
    ) -> Sequence[TaxonomyEntry]:
        """Roles of a company; none for an unknown one.

        Args:
            company_name: The company's name.
            status_filter: Only entries of this status, e.g. `active`.
        """

    def get_role(self, company_name: str, role_name: str) -> TaxonomyEntry | None:
        """One role by its job title, or None if there is no such role."""


@runtime_checkable
class DocumentProvider(Protocol):
    """Knows documents of roles, with their text (`content`).

    A read that fails raises `SourceUnavailable`; a document that is there but cannot be used
    raises `ValidationFailed` or `PAYLOAD_TOO_LARGE`. Neither is ever an empty answer.
    """

    def get_document(self, company: str, role: str, type: DocumentType) -> DocumentRef | None:
        """The role's document of one type, or None if there is none."""

    def get_documents_for_role(self, company: str, role: str) -> Sequence[DocumentRef]:
        """All documents of exactly this role."""


class DocumentListing(BaseModel):
    """A document as its source lists it, without its text.

    `source` and `key` name it: `key` is its id within the source. `fingerprint` differs whenever
    another document was chosen or this one may have changed; equal ones mean the same text.
    """

    model_config = ConfigDict(frozen=True)

    company: str
    role: str
    type: DocumentType
    source: str
    key: str
    fingerprint: str
    name: str | None = None


def fingerprint_of(source: str, key: str, *version: object) -> str:
    """A listing's fingerprint.

    Args:
        source: The source's name.
        key: The document's id there.
        version: What differs between its versions, e.g. an e-tag, or a time and a size.
    """
    parts = repr((source, key, *(str(part) for part in version)))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:24]


@runtime_checkable
class ListingDocumentProvider(DocumentProvider, Protocol):
    """A source of documents that can also say what it has, without fetching any text.

    Those built in can. One that somebody registers need not: its documents are read when a role
    is pushed, but no sensor notices that they changed.
    """

    def companies_with_documents(self) -> Sequence[str]:
        """Names of the companies for which `list_documents` is worth asking."""

    def list_documents(self, company: str) -> Sequence[DocumentListing]:
        """For each role and type of the company, the document that `get_document` would choose.

        Args:
            company: The company's name.

        Raises:
            SourceUnavailable: Any part of it cannot be read; a part is never given as the whole.
        """
