"""A role's documents out of the sources, when it is onboarded.

One that is broken fails nothing as long as it is not the job description: it is left out and
named. A source that cannot be reached raises, for the step to be tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import DocumentUnavailable, ErrorCode, EtterError
from etter_dagster.onboarding.asking import LEAST_SECONDS, AskingTime
from etter_dagster.onboarding.services import Services

DOCUMENTS_SECONDS = 240.0  # within the step's 5 minutes; large documents take their time
_SOURCE = "the source of documents"
_UNUSABLE = (ErrorCode.VALIDATION_ERROR, ErrorCode.PAYLOAD_TOO_LARGE)


@dataclass(frozen=True)
class SourceDocuments:
    """What the sources have; `left_out` says why of each type that cannot be used."""

    found: Sequence[DocumentRef]
    left_out: Mapping[DocumentType, str] = field(default_factory=dict)


def unusable(error: EtterError) -> bool:
    """Whether it is this document that cannot be used, whatever its source has besides."""
    return error.code in _UNUSABLE or isinstance(error, DocumentUnavailable)


async def documents_of(services: Services, company: str, role: str) -> SourceDocuments:
    """All usable documents of a role.

    Args:
        services: Their source.
        company: The company's name.
        role: The role's name.

    Raises:
        SourceUnavailable: The source cannot be read.
        EtterError: The job description cannot be used, or nothing else is there.
    """
    time = AskingTime(DOCUMENTS_SECONDS, least=LEAST_SECONDS)
    async with services.source_places:
        try:
            read = services.document_source.get_documents_for_role
            return SourceDocuments(await time.ask(read, company, role, what=_SOURCE))
        except EtterError as error:
            if not unusable(error):
                raise
            usable = await _one_by_one(
                services, company, role, time, types=DocumentType, may_lack=_may_lack
            )
            if not usable.found:
                raise
            return usable


async def documents_of_types(
    services: Services, company: str, role: str, types: Sequence[DocumentType]
) -> SourceDocuments:
    """A role's documents of some types; what is lacking for now is left out, and nothing fails.

    Args:
        services: Their source.
        company: The company's name.
        role: The role's name.
        types: Those to ask for.
    """
    time = AskingTime(DOCUMENTS_SECONDS, least=LEAST_SECONDS)
    async with services.source_places:
        return await _one_by_one(
            services, company, role, time, types=types, may_lack=lambda *_: True
        )


def _may_lack(type_: DocumentType, error: EtterError) -> bool:
    return type_ is not DocumentType.JOB_DESCRIPTION and unusable(error)


async def _one_by_one(
    services: Services,
    company: str,
    role: str,
    time: AskingTime,
    *,
    types: Iterable[DocumentType],
    may_lack: Callable[[DocumentType, EtterError], bool],
) -> SourceDocuments:
    read = services.document_source.get_document
    found: list[DocumentRef] = []
    left_out: dict[DocumentType, str] = {}
    for type_ in types:
        try:
            document = await time.ask(read, company, role, type_, what=_SOURCE)
        except EtterError as error:
            if not may_lack(type_, error):
                raise
            left_out[type_] = error.message
        else:
            found += [document] if document else []
    return SourceDocuments(found, left_out)
