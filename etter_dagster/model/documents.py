"""Documents that describe a role, as given by callers and as linked to it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MAX_DOCUMENT_BYTES = 2 * 1024 * 1024  # text of one document, UTF-8
MAX_DOCUMENTS = 20
_WHITE = re.compile(r"\s+")


class DocumentType(str, Enum):
    """What a document is."""

    JOB_DESCRIPTION = "job_description"
    PROCESS_MAP = "process_map"
    SOP = "sop"
    OTHER = "other"


class DocumentRef(BaseModel):
    """A document of a request: its text (`content`) or where to fetch it (`uri`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: DocumentType = DocumentType.JOB_DESCRIPTION
    uri: str | None = Field(None, max_length=4096)
    content: str | None = None
    name: str | None = Field(None, max_length=500)
    metadata: dict[str, Any] = Field(default_factory=dict)


class LinkedDocument(BaseModel):
    """A document as linked to a role: always with its text and that text's hash."""

    model_config = ConfigDict(frozen=True)

    document_id: str
    type: DocumentType
    name: str | None = None
    content: str
    content_hash: str
    linked_at: datetime


def canonical_text(text: str) -> str:
    """A text up to encoding form and white space: those of equivalent texts are equal."""
    return _WHITE.sub(" ", unicodedata.normalize("NFC", text).lstrip("\ufeff")).strip()


def text_hash(text: str) -> str:
    """SHA-256 hex of a text's canonical form: equivalent texts have the same."""
    return hashlib.sha256(canonical_text(text).encode("utf-8", "surrogatepass")).hexdigest()


def documents_hash(documents: Iterable[LinkedDocument]) -> str:
    """Hash over all linked documents but the JD, in any order; empty where there is none."""
    others = sorted(
        (doc.type.value, doc.name or "", doc.content_hash)
        for doc in documents
        if doc.type is not DocumentType.JOB_DESCRIPTION
    )
    if not others:
        return ""
    return hashlib.sha256(repr(others).encode("utf-8", "surrogatepass")).hexdigest()
