"""What a source of roles and a source of documents is. Both are synchronous: they do plain I/O,
and callers in an event loop put them on a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.taxonomy import TaxonomyEntry


@runtime_checkable
class RoleTaxonomyProvider(Protocol):
    """Knows companies and their roles. Names are compared exactly, up to NFC and outer space.

    A read that fails raises `SourceUnavailable`; an empty answer means that there is nothing.
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
