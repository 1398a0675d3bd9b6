"""Sources that a test rules: companies with roles and documents, which change and fail as told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import EtterError
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.onboarding.services import Services
from etter_dagster.sources.protocols import DocumentListing, fingerprint_of
from etter_dagster.sources.registry import (
    document_factories,
    register_document_provider,
    register_role_taxonomy_provider,
    taxonomy_factories,
)

JD_TYPE = DocumentType.JOB_DESCRIPTION


@dataclass
class World:
    """Both kinds of source.

    `failures` maps a method's name to what it raises, `broken` a role's documents, or one type of
    them.
    """

    entries: dict[str, dict[str, TaxonomyEntry]] = field(default_factory=dict)
    texts: dict[tuple[str, str], dict[DocumentType, str]] = field(default_factory=dict)
    versions: Counter[tuple[str, str, DocumentType]] = field(default_factory=Counter)
    failures: dict[str, EtterError] = field(default_factory=dict)
    broken: dict[tuple[str, ...], EtterError] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def put(
        self, company: str, title: str, draup: str | None = "Data Analyst", **more: str
    ) -> None:
        """An entry of the taxonomy."""
        self.entries.setdefault(company, {})[title] = TaxonomyEntry.model_validate(
            {
                "job_id": f"{company}/{title}",
                "company_name": company,
                "job_title": title,
                "draup_role": draup,
                **more,
            }
        )

    def write(self, company: str, title: str, text: str, type_: DocumentType = JD_TYPE) -> None:
        """A document, written anew: its fingerprint changes, whatever the text."""
        self.texts.setdefault((company, title), {})[type_] = text
        self.versions[company, title, type_] += 1

    # -- taxonomy ------------------------------------------------------------------------
    def get_companies(self) -> list[str]:
        self._called("get_companies")
        return sorted(self.entries)

    def get_roles_for_company(
        self, company_name: str, status_filter: str | None = None
    ) -> list[TaxonomyEntry]:
        self._called("get_roles_for_company", company_name)
        return [
            entry
            for entry in self.entries.get(company_name, {}).values()
            if status_filter in (None, entry.status)
        ]

    def get_role(self, company_name: str, role_name: str) -> TaxonomyEntry | None:
        self._called("get_role")
        return self.entries.get(company_name, {}).get(role_name)

    # -- documents -----------------------------------------------------------------------
    def companies_with_documents(self) -> list[str]:
        self._called("companies_with_documents")
        return sorted({company for company, _ in self.texts})

    def list_documents(self, company: str) -> list[DocumentListing]:
        self._called("list_documents", company)
        return [
            DocumentListing(
                company=company,
                role=title,
                type=type_,
                source="world",
                key=f"{title}/{type_.value}",
                fingerprint=fingerprint_of("world", title, self.versions[company, title, type_]),
                name=f"{type_.value}.md",
            )
            for (owner, title), texts in self.texts.items()
            if owner == company
            for type_ in texts
        ]

    def get_document(self, company: str, role: str, type: DocumentType) -> DocumentRef | None:
        self._called("get_document")
        for key in ((company, role), (company, role, type.value)):
            if error := self.broken.get(key):
                raise error
        text = self.texts.get((company, role), {}).get(type)
        return DocumentRef(type=type, content=text, name=f"{type.value}.md") if text else None

    def get_documents_for_role(self, company: str, role: str) -> list[DocumentRef]:
        found = [self.get_document(company, role, type_) for type_ in DocumentType]
        return [document for document in found if document is not None]

    def _called(self, name: str, company: str = "") -> None:
        self.calls[name] += 1
        for key in (name, f"{name}:{company}"):
            if error := self.failures.get(key):
                raise error

    # -- in use --------------------------------------------------------------------------
    def services(self, services: Services) -> Services:
        """The same services with these sources."""
        return replace(services, taxonomy=self, document_source=self)

    @contextmanager
    def registered(self) -> Iterator[World]:
        """These sources for all that opens services meanwhile in this process."""
        register_role_taxonomy_provider("world", lambda _: self)
        register_document_provider("world", lambda _: self)
        try:
            yield self
        finally:
            taxonomy_factories.remove("world")
            document_factories.remove("world")
