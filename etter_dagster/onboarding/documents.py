"""A role's linked documents as the surfaces show them: as given, and under the headings of a JD."""

from __future__ import annotations

import asyncio
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from etter_dagster.assessors.formatting.jd import format_jd
from etter_dagster.assessors.quality.judging import judge
from etter_dagster.model.documents import DocumentType, LinkedDocument
from etter_dagster.model.errors import NotFound
from etter_dagster.onboarding.services import Services


class DocumentView(BaseModel):
    """A linked document. Assessments are made from `content`; `formatted` is for people."""

    model_config = ConfigDict(frozen=True)

    document_id: str
    type: DocumentType
    name: str | None
    content: str
    content_hash: str
    linked_at: datetime
    formatted: str | None = Field(
        description="A job description under the headings of a JD, no sentence lost; else null."
    )
    warning: str | None = Field(
        description="Why a job description will not be assessed: it is something else."
    )


class DocumentsView(BaseModel):
    """The body of `GET /documents/{role_id}`."""

    model_config = ConfigDict(frozen=True)

    role_id: str
    documents: tuple[DocumentView, ...]


async def documents_view(services: Services, rid: str) -> DocumentsView:
    """What is linked to a role now.

    Raises:
        NotFound: Unknown role.
    """
    role = await services.graph.role(rid)
    if role is None:
        raise NotFound(rid, "list the company's roles with GET /roles/{company_name}")
    linked = await services.graph.documents(rid)
    views = await asyncio.to_thread(
        lambda: tuple(_view(document, role.role_name) for document in linked)
    )
    return DocumentsView(role_id=rid, documents=views)


def _view(document: LinkedDocument, role_name: str) -> DocumentView:
    is_jd = document.type is DocumentType.JOB_DESCRIPTION
    return DocumentView(
        **document.model_dump(),
        formatted=format_jd(document.content, title=role_name) if is_jd else None,
        warning=(judge(document.content).reason or None) if is_jd else None,
    )
