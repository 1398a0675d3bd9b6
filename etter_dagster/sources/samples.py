"""The sample roles as a source; in use while `ENABLE_MOCK_DATA` is on."""

from __future__ import annotations

from etter_dagster.model.documents import DocumentRef, DocumentType, text_hash
from etter_dagster.model.identity import normalize_name
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.sample_data import sample_job_description, sample_roles
from etter_dagster.sources.protocols import DocumentListing, fingerprint_of


class SampleTaxonomy:
    """The sample companies and roles."""

    def get_companies(self) -> list[str]:
        """Names of the sample companies."""
        return sorted({entry.company_name for entry in sample_roles()})

    def get_roles_for_company(
        self, company_name: str, status_filter: str | None = None
    ) -> list[TaxonomyEntry]:
        """Sample roles of a company."""
        company = normalize_name(company_name)
        return [
            entry
            for entry in sample_roles()
            if entry.company_name == company and status_filter in (None, entry.status)
        ]

    def get_role(self, company_name: str, role_name: str) -> TaxonomyEntry | None:
        """One sample role."""
        name = normalize_name(role_name)
        roles = self.get_roles_for_company(company_name)
        return next((entry for entry in roles if entry.job_title == name), None)


class SampleDocuments:
    """The job descriptions of the sample roles."""

    def get_document(self, company: str, role: str, type: DocumentType) -> DocumentRef | None:
        """The sample job description, or None."""
        documents = self.get_documents_for_role(company, role)
        return next((document for document in documents if document.type is type), None)

    def get_documents_for_role(self, company: str, role: str) -> list[DocumentRef]:
        """The sample job description, if this is a sample role."""
        entry = SampleTaxonomy().get_role(company, role)
        if entry is None:
            return []
        return [
            DocumentRef(
                type=DocumentType.JOB_DESCRIPTION,
                content=sample_job_description(entry.job_id),
                name=_file_name(entry),
            )
        ]

    def companies_with_documents(self) -> list[str]:
        """Names of the sample companies."""
        return SampleTaxonomy().get_companies()

    def list_documents(self, company: str) -> list[DocumentListing]:
        """One job description per sample role."""
        return [
            DocumentListing(
                company=entry.company_name,
                role=entry.job_title,
                type=DocumentType.JOB_DESCRIPTION,
                source=_SOURCE,
                key=entry.job_id,
                fingerprint=fingerprint_of(
                    _SOURCE, entry.job_id, text_hash(sample_job_description(entry.job_id))
                ),
                name=_file_name(entry),
            )
            for entry in SampleTaxonomy().get_roles_for_company(company)
        ]


_SOURCE = "samples"


def _file_name(entry: TaxonomyEntry) -> str:
    return f"{entry.job_title}.md"
