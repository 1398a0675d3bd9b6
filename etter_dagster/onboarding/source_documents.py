"""A role's documents out of the sources, when it is onboarded.

One that is broken fails nothing as long as it is not the job description: it is left out and
named. A source that cannot be reached raises, for the step to be tried again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import DocumentUnavailable, ErrorCode, EtterError
from etter_dagster.onboarding.asking import ask
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.tick_time import LEAST_SECONDS

DOCUMENTS_SECONDS = 240.0  # within the step's 5 minutes; large documents take their time
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
    until = time.monotonic() + DOCUMENTS_SECONDS
    async with services.source_places:
        try:
            found = await ask(
                services.document_source.get_documents_for_role,
                company,
                role,
                within=DOCUMENTS_SECONDS,
                what="the source of documents",
            )
            return SourceDocuments(found)
        except EtterError as error:
            if not unusable(error):
                raise
            usable = await _one_by_one(services, company, role, until)
            if not usable.found:
                raise
            return usable


async def _one_by_one(services: Services, company: str, role: str, until: float) -> SourceDocuments:
    found: list[DocumentRef] = []
    left_out: dict[DocumentType, str] = {}
    for type_ in DocumentType:
        try:
            document = await ask(
                services.document_source.get_document,
                company,
                role,
                type_,
                within=max(LEAST_SECONDS, until - time.monotonic()),
                what="the source of documents",
            )
        except EtterError as error:
            if type_ is DocumentType.JOB_DESCRIPTION or not unusable(error):
                raise
            left_out[type_] = error.message
        else:
            found += [document] if document else []
    return SourceDocuments(found, left_out)
