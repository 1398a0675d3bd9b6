"""What the stand-in's taxonomy and documents APIs hold. No HTTP here; a test changes it at will."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from etter_dagster_tests.standin.state import Call, Fault, StandinState

TAXONOMY = "taxonomy"
DOCUMENTS = "documents"
DOCUMENT = "document"
DOWNLOAD = "download"


@dataclass
class HeldDocument:
    """A document: what the API says of it, and its bytes."""

    fields: dict[str, Any]
    data: bytes
    token: str | None = None  # that sees it; None: every one


@dataclass
class PlatformState:
    """Memory and script of both APIs.

    Args:
        token: If set, every call must bring it, or one of a company's own, as bearer.
        counts_pages: Whether `count` of a list of documents is of the page and not of all.
        most: The most documents that one page holds.
    """

    token: str | None = None
    counts_pages: bool = False
    most: int = 1000
    roles: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    documents: dict[str, HeldDocument] = field(default_factory=dict)
    own_tokens: dict[int, str] = field(default_factory=dict)
    issued: dict[str, str] = field(default_factory=dict)  # link keys, with the document's id
    script: StandinState = field(default_factory=StandinState)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, endpoint: str, fault: Fault, *, times: int | None = 1) -> None:
        """Scripts a fault, as `StandinState.fail`."""
        self.script.fail(endpoint, fault, times=times)

    def heal(self) -> None:
        """Takes all faults back."""
        self.script.heal()

    def count(self, endpoint: str) -> int:
        """How many calls came."""
        return self.script.count(endpoint)

    @property
    def calls(self) -> list[Call]:
        """All calls as they came; the query is in `body`."""
        return self.script.calls

    def put_role(self, company: int, job_id: str, title: str, **changes: Any) -> dict[str, Any]:
        """Adds a role to a company's taxonomy, or changes the one of this id."""
        row = {
            "job_id": job_id,
            "job_role": title,
            "job_title": title,
            "occupation": "Analysts",
            "job_family": "Office",
            "draup_role": f"Draup {title}",
            "skills": ["Reporting"],
            "approval_status": "approved",
            "general_summary": None,
            **changes,
        }
        rows = self.roles.setdefault(company, [])
        with self.lock:
            rows[:] = [one for one in rows if one["job_id"] != job_id] + [row]
        return row

    def remove_role(self, company: int, job_id: str) -> None:
        """Takes a role out of a taxonomy."""
        with self.lock:
            self.roles[company] = [r for r in self.roles[company] if r["job_id"] != job_id]

    def put_document(
        self,
        document_id: str,
        *roles: str,
        data: bytes = b"text",
        name: str = "jd.md",
        token: str | None = None,
        **fields: Any,
    ) -> None:
        """Adds a document, or replaces the one of this id."""
        described: Mapping[str, Any] = {
            "id": document_id,
            "roles": list(roles),
            "status": "ready",
            "original_filename": name,
            "observed_content_type": None,
            "created_at": "2026-01-05T09:00:00Z",
            **fields,
        }
        with self.lock:
            self.documents[document_id] = HeldDocument(dict(described), data, token)
