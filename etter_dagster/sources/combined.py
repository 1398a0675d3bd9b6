"""Several sources as one: the first that knows wins. An outage of one is an outage of all, since
a later source must not answer in place of one that might know better.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.identity import normalize_name
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.sources.protocols import (
    DocumentListing,
    DocumentProvider,
    ListingDocumentProvider,
    RoleTaxonomyProvider,
)


@runtime_checkable
class KnowsDocuments(Protocol):
    """A source of documents that can tell whether it has one without fetching its text."""

    def has_document(self, company: str, role: str, type: DocumentType) -> bool:
        """Whether `get_document` would give one."""


def has_document(provider: DocumentProvider, company: str, role: str, type: DocumentType) -> bool:
    """Whether a source has a document; only one that cannot tell otherwise fetches it.

    Args:
        provider: The source.
        company: The company's name.
        role: The role's name.
        type: What kind of document.

    Raises:
        SourceUnavailable: It cannot be asked.
    """
    if isinstance(provider, KnowsDocuments):
        return provider.has_document(company, role, type)
    return provider.get_document(company, role, type) is not None


def close_all(providers: Iterable[object]) -> None:
    """Closes those that can be closed; a provider need not hold anything open.

    Args:
        providers: Sources of any kind.
    """
    for provider in providers:
        close = getattr(provider, "close", None)
        if callable(close):
            close()


class CombinedTaxonomy:
    """The roles of all its providers; of two entries for one role, the earlier provider's.

    Args:
        providers: In order of preference; may be empty.
    """

    def __init__(self, providers: Sequence[RoleTaxonomyProvider]) -> None:
        self._providers = tuple(providers)

    def close(self) -> None:
        """Closes what the providers hold open."""
        close_all(self._providers)

    def get_companies(self) -> list[str]:
        """Names of all companies, sorted."""
        return sorted({name for provider in self._providers for name in provider.get_companies()})

    def get_roles_for_company(
        self, company_name: str, status_filter: str | None = None
    ) -> list[TaxonomyEntry]:
        """Roles of a company over all providers; what one of them lists twice is not hidden."""
        found: list[TaxonomyEntry] = []
        known: set[str] = set()
        for provider in self._providers:
            # Filtered afterwards: an entry that the first provider calls removed stays hidden.
            listed = [
                (normalize_name(e.job_title), e)
                for e in provider.get_roles_for_company(company_name)
            ]
            found += [entry for title, entry in listed if title not in known]
            known |= {title for title, _ in listed}
        return [entry for entry in found if status_filter in (None, entry.status)]

    def get_role(self, company_name: str, role_name: str) -> TaxonomyEntry | None:
        """One role, of the first provider that knows it."""
        found = (provider.get_role(company_name, role_name) for provider in self._providers)
        return next((entry for entry in found if entry is not None), None)


class CombinedDocuments:
    """For each type of document, the first provider that has one for the role.

    Args:
        providers: In order of preference; may be empty.
    """

    def __init__(self, providers: Sequence[DocumentProvider]) -> None:
        self._providers = tuple(providers)

    def get_document(self, company: str, role: str, type: DocumentType) -> DocumentRef | None:
        """The document of one type."""
        type = DocumentType(type)  # callers may give its value; providers look it up in tables
        found = (provider.get_document(company, role, type) for provider in self._providers)
        return next((document for document in found if document is not None), None)

    def get_documents_for_role(self, company: str, role: str) -> list[DocumentRef]:
        """All documents of the role, each type from one provider only."""
        chosen: list[DocumentRef] = []
        for provider in self._providers:
            known = {document.type for document in chosen}
            documents = provider.get_documents_for_role(company, role)
            chosen += [document for document in documents if document.type not in known]
        return chosen

    def close(self) -> None:
        """Closes what the providers hold open."""
        close_all(self._providers)

    def has_document(self, company: str, role: str, type: DocumentType) -> bool:
        """Whether any provider has one, as far as possible without fetching it."""
        return any(has_document(one, company, role, type) for one in self._providers)

    def companies_with_documents(self) -> list[str]:
        """Names of all companies of the sources that can list, sorted."""
        return sorted({name for one in self._listing() for name in one.companies_with_documents()})

    def list_documents(self, company: str) -> list[DocumentListing]:
        """Of each role and type, the first source's; a source that cannot list is left out."""
        chosen: dict[tuple[str, DocumentType], DocumentListing] = {}
        for provider in self._listing():
            for listing in provider.list_documents(company):
                chosen.setdefault((normalize_name(listing.role), listing.type), listing)
        return list(chosen.values())

    def _listing(self) -> list[ListingDocumentProvider]:
        return [one for one in self._providers if isinstance(one, ListingDocumentProvider)]
