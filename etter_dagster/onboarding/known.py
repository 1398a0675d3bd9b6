"""What is known of a role that is pushed: its Draup role, and whether there is a document.

The catalogue goes first. A single push may then ask the sources, once and within one bound; a batch
asks local ones only. No text is fetched here: a link to it would run out while the push waits.
"""

from __future__ import annotations

from dataclasses import dataclass

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.role import Role
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.onboarding.asking import AskingTime
from etter_dagster.onboarding.role_setup import SUMMARY_NAME
from etter_dagster.onboarding.services import Services
from etter_dagster.sources.combined import has_document
from etter_dagster.sources.protocols import DocumentProvider, RoleTaxonomyProvider

ASK_SECONDS = 10.0  # for all that the sources are asked of one push
_LEAST_SECONDS = 0.5


@dataclass(frozen=True)
class Asked:
    """Which sources may be asked, and the time for that."""

    taxonomy: RoleTaxonomyProvider
    documents: DocumentProvider
    time: AskingTime


def sources_of(services: Services, *, remote: bool) -> Asked:
    """The sources that a push may ask from now on.

    Args:
        services: All of them.
        remote: Whether those that are not on this machine may be asked, too.
    """
    time = AskingTime(ASK_SECONDS, least=_LEAST_SECONDS)
    if remote:
        return Asked(services.taxonomy, services.document_source, time)
    return Asked(services.local_taxonomy, services.local_documents, time)


async def entry_of(sources: Asked, company: str, role_name: str) -> TaxonomyEntry | None:
    """What the taxonomy says of a role.

    Raises:
        SourceUnavailable: It cannot be asked.
    """
    return await sources.time.ask(
        sources.taxonomy.get_role, company, role_name, what="the taxonomy"
    )


async def document_known(sources: Asked, company: str, role_name: str, role: Role | None) -> bool:
    """Whether a document is linked, or known to the catalogue or a source.

    Raises:
        SourceUnavailable: None is known, and a source cannot be asked.
    """
    if role and (role.jd_hash or role.documents_hash or catalogued_jd(role)):
        return True
    return await sources.time.ask(
        has_document,
        sources.documents,
        company,
        role_name,
        DocumentType.JOB_DESCRIPTION,
        what="the source of documents",
    )


async def summary_of(sources: Asked, company: str, role_name: str) -> DocumentRef | None:
    """The taxonomy's summary of a role that the catalogue lacks, in place of a document.

    Raises:
        SourceUnavailable: The taxonomy cannot be asked.
    """
    entry = await entry_of(sources, company, role_name)
    text = entry.general_summary if entry else None
    return DocumentRef(content=text, name=SUMMARY_NAME) if text and text.strip() else None


def catalogued_jd(role: Role) -> bool:
    """Whether the catalogue knows a job description: of a document source, or a summary.

    Args:
        role: The role.
    """
    if any(doc.type is DocumentType.JOB_DESCRIPTION for doc in role.catalogued or ()):
        return True
    summary = role.taxonomy.general_summary if role.taxonomy else None
    return bool(summary and summary.strip())
