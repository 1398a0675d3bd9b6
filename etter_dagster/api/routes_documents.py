"""An uploaded document: read, linked to its role, and its text given back."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from etter_dagster.api.common import ONCE, Pusher, ServicesIn, audit, errors, new_router
from etter_dagster.api.routing import FORM, accepts
from etter_dagster.api.schemas import CreatedBy
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import FieldProblem, ValidationFailed
from etter_dagster.model.identity import normalize_name
from etter_dagster.onboarding.roles import UploadView, upload_document
from etter_dagster.sources.text import MAX_FILE_BYTES, read_document

MAX_FORM_BYTES = MAX_FILE_BYTES + 64 * 1024  # what stands around the file
_MAX_FILE_NAME = 200
router = new_router("documents")


MAX_UPLOADS = 3  # of a key at once: each is some hundred MB of memory, and may take a minute


class UploadForm(BaseModel):
    """The form of an upload."""

    model_config = ConfigDict(extra="forbid")

    file: UploadFile = Field(description="PDF, DOCX, HTML, Markdown or text; at most 20 MiB.")
    type: DocumentType = DocumentType.JOB_DESCRIPTION
    created_by: CreatedBy = None


@router.post(
    "/roles/{company_name:path}/{role_name:path}/documents",
    responses=errors(409, 413, 415),
    summary="Upload a document of a role",
    dependencies=ONCE,
)
@accepts(FORM, limit=MAX_FORM_BYTES, at_once=MAX_UPLOADS)
async def upload(
    company_name: str,
    role_name: str,
    form: Annotated[UploadForm, Form(media_type=FORM)],
    caller: Pusher,
    services: ServicesIn,
) -> UploadView:
    """Answers the text it found, and links it: a push by name alone then uses it.

    A role that is not known yet is created in `draft`. Nothing is queued.
    """
    company = normalize_name(company_name)
    caller.require_company(company)
    name = file_name(form.file.filename)
    data = await form.file.read()
    text = await read_document(data, name, form.file.content_type, field="file")
    if not text.strip():
        raise ValidationFailed(FieldProblem("file", f"{name} is empty; give a document with text"))
    reference = DocumentRef(type=form.type, content=text, name=name)
    view = await upload_document(services, company, role_name, reference)
    await audit(
        services,
        caller,
        "upload-document",
        target=view.role_id,
        company_id=company,
        created_by=form.created_by,
        type=form.type.value,
        name=name,
    )
    return view


def file_name(given: str | None) -> str:
    """The name of an uploaded file, without its folder and what cannot be shown.

    Args:
        given: As the client sent it.
    """
    last = (given or "").replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(character for character in last if character.isprintable())
    return shown[-_MAX_FILE_NAME:].strip() or "document"
