"""Many roles out of a file: which may be sent, in which portions, and what became of each.

Decides only; reading is in `sources.bulk_files`, sending in `push_many`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from etter_dagster.model.errors import ErrorCode, EtterError, FieldProblem
from etter_dagster.model.identity import normalize_name, role_id
from etter_dagster.sources.bulk_rows import BulkRow, row_error

MAX_ROLES = 9_999
MAX_BYTES = 10 * 1024 * 1024 - 64 * 1024  # room for the envelope
OK, REFUSED, UNSENT = "ok", "refused", "not sent"


@dataclass
class Verdict:
    """A row and its state: `ok` (may be sent), `refused`, `not sent`, or that of its push."""

    row: BulkRow
    state: str = OK
    error: str | None = None
    message: str | None = None
    workflow_id: str | None = None
    dashboard_url: str | None = None

    def refuse(self, code: str, message: str, *, state: str = REFUSED) -> None:
        """Notes why the row is not pushed."""
        self.state, self.error, self.message = state, code, message

    def as_json(self) -> dict[str, Any]:
        """The row for programs."""
        named = self.row.company and self.row.role_name
        return {
            "index": self.row.index,
            "row": self.row.row,
            "company": self.row.company,
            "role_name": self.row.role_name,
            "role_id": role_id(self.row.company, self.row.role_name) if named else None,
            "status": self.state,
            "workflow_id": self.workflow_id,
            "error": self.error,
            "message": self.message,
            "dashboard_url": self.dashboard_url,
        }


def judge(
    rows: Iterable[BulkRow], *, company: str | None = None, draup_role: str | None = None
) -> list[Verdict]:
    """What can be said of rows without the service.

    Args:
        rows: As read.
        company: The only company that they may be of.
        draup_role: Instead of the rows' own.
    """
    verdicts: list[Verdict] = []
    first: dict[str, str] = {}
    for row in rows:
        if draup_role:
            row = replace(row, draup_role_name=normalize_name(draup_role), draup_role_id=None)
        verdict = Verdict(row)
        verdicts.append(verdict)
        if problem := row.problem or _problem(row, company, first):
            verdict.refuse(problem.code.value, problem.message)
    return verdicts


def _problem(row: BulkRow, company: str | None, first: dict[str, str]) -> EtterError | None:
    if company and row.company != normalize_name(company):
        found = FieldProblem("company", f"is '{row.company}', not that of --company")
        return row_error(_where(row.row), ErrorCode.VALIDATION_ERROR, [found])
    if len(json.dumps(role_body(row), ensure_ascii=False).encode()) > MAX_BYTES:
        found = FieldProblem("jd", "is too large once encoded; shorten it")
        return row_error(_where(row.row), ErrorCode.PAYLOAD_TOO_LARGE, [found])
    before = first.setdefault(role_id(row.company, row.role_name), row.row)
    if before != row.row:
        found = FieldProblem("role", f"is that of {_where(before)} too; keep one of them")
        return row_error(_where(row.row), ErrorCode.VALIDATION_ERROR, [found])
    return None


def _where(row: str) -> str:
    return f"row {row}" if row.isdecimal() else row


def role_body(row: BulkRow) -> dict[str, Any]:
    """A row as `POST /push-batch` takes it.

    Args:
        row: A good one.
    """
    body: dict[str, Any] = {"company_id": row.company, "role_name": row.role_name}
    if row.content:
        body["documents"] = [{"type": "job_description", "content": row.content}]
    if row.draup_role_name:
        body["draup_role_name"] = row.draup_role_name
    if row.draup_role_id:
        body["draup_role_id"] = row.draup_role_id
    return body


def portions(verdicts: Sequence[Verdict]) -> Iterator[list[Verdict]]:
    """Good rows in portions that one request may hold.

    Args:
        verdicts: All rows.
    """
    portion: list[Verdict] = []
    size = 0
    for verdict in verdicts:
        if verdict.state != OK:
            continue
        more = len(json.dumps(role_body(verdict.row), ensure_ascii=False).encode()) + 1
        if portion and (len(portion) == MAX_ROLES or size + more > MAX_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(verdict)
        size += more
    if portion:
        yield portion
