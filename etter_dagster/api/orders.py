"""From what a caller sent to what the onboarding layer takes: orders, batch entries, filters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request

from etter_dagster.api.access import Caller
from etter_dagster.api.errors import invalid, unprocessable
from etter_dagster.api.schemas import (
    BatchBody,
    BatchRoleBody,
    DocumentBody,
    FilterBody,
    OptionsBody,
    PushBody,
    moment,
)
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import EtterError, ValidationFailed
from etter_dagster.model.identity import name_problem, normalize_name
from etter_dagster.model.push import Source, WorkflowOptions
from etter_dagster.onboarding.batches import BatchEntry, check_batch_size
from etter_dagster.onboarding.check import PushOrder
from etter_dagster.onboarding.services import Services
from etter_dagster.sources.bulk_csv import csv_text, read_csv
from etter_dagster.sources.bulk_rows import BulkRow
from etter_dagster.stores.protocols import PushFilter

_READ_AT_ONCE = 200


@dataclass(frozen=True)
class ReadBatch:
    """A batch as it was read."""

    company_id: str
    entries: Sequence[BatchEntry]
    created_by: str | None = None


def push_order(body: PushBody, *, use_mock: bool, source: Source) -> PushOrder:
    """The order of a single push."""
    return PushOrder(
        company_id=body.company_id,
        role_name=body.role_name,
        documents=role_documents(body.documents),
        draup_role_id=body.draup_role_id,
        draup_role_name=body.draup_role_name,
        options=plain_options(body.options) or WorkflowOptions(),
        use_mock=use_mock,
        source=source,
        created_by=body.created_by,
    )


def plain_options(options: OptionsBody | None) -> WorkflowOptions | None:
    """The options as the model has them."""
    return WorkflowOptions(**options.model_dump()) if options is not None else None


def role_documents(documents: Sequence[DocumentBody] | None) -> tuple[DocumentRef, ...]:
    """The documents as the model has them."""
    return tuple(DocumentRef(**document.model_dump()) for document in documents or ())


async def read_batch(request: Request, caller: Caller, *, use_mock: bool) -> ReadBatch:
    """Reads a batch from JSON or CSV.

    Args:
        request: Its body was checked for size and media type.
        caller: Whose companies the roles must be of.
        use_mock: Whether to assess with the built-in assessor.

    Raises:
        EtterError: The envelope is broken, or the CSV cannot be read.
    """
    data = await request.body()
    if request.headers.get("content-type", "").lower().startswith("text/csv"):
        return _csv_batch(data, caller, use_mock=use_mock)
    if not data:
        raise unprocessable("body", "is missing; send JSON, or CSV with Content-Type: text/csv")
    try:
        body = BatchBody.model_validate(json.loads(data))
    except ValidationError as error:
        raise invalid([{**p, "loc": ("body", *p["loc"])} for p in error.errors()]) from None
    except (ValueError, RecursionError):
        raise unprocessable("body", "is not JSON in UTF-8") from None
    company = normalize_name(body.company_id)
    if problem := name_problem("company_id", company):
        raise ValidationFailed(problem)
    caller.require_company(company)
    check_batch_size(len(body.roles))
    options = plain_options(body.options) or WorkflowOptions()
    entries = []
    for index, role in enumerate(body.roles):
        entries.append(_json_entry(index, role, body.company_id, options, caller, use_mock))
        if index % _READ_AT_ONCE == 0:
            await asyncio.sleep(0)  # other requests must not wait for thousands of roles
    return ReadBatch(company_id=company, entries=entries, created_by=body.created_by)


def _json_entry(
    index: int,
    role: Any,
    company: str,
    options: WorkflowOptions,
    caller: Caller,
    use_mock: bool,
) -> BatchEntry:
    name = role.get("role_name") if isinstance(role, dict) else None
    shown = name.encode("utf-8", "replace").decode() if isinstance(name, str) else None
    try:
        read = BatchRoleBody.model_validate(role)
        order = PushOrder(
            company_id=read.company_id if read.company_id is not None else company,
            role_name=read.role_name,
            documents=role_documents(read.documents),
            draup_role_id=read.draup_role_id,
            draup_role_name=read.draup_role_name,
            options=options,
            use_mock=use_mock,
            source=Source.BATCH,
        )
        caller.require_company(normalize_name(order.company_id))
    except ValidationError as error:
        found = invalid(error.errors(), prefix=f"roles[{index}]")
        # Of a batch with no good role this is the refusal: a bad role is no broken envelope.
        return BatchEntry(shown, EtterError(found.code, found.message, fields=found.fields))
    except EtterError as error:
        return BatchEntry(shown, error)
    return BatchEntry(shown, order)


def _csv_batch(data: bytes, caller: Caller, *, use_mock: bool) -> ReadBatch:
    rows = read_csv(csv_text(data))
    check_batch_size(len(rows))
    # A row that is refused gives the batch no company: whoever sent it could not look it up.
    taken = [r.company for r in rows if r.problem is None and caller.sees(r.company)]
    return ReadBatch(
        company_id=next(iter(taken), rows[0].company),
        entries=[_csv_entry(row, caller, use_mock) for row in rows],
    )


def _csv_entry(row: BulkRow, caller: Caller, use_mock: bool) -> BatchEntry:
    shown = row.role_name.encode("utf-8", "replace").decode() or None
    if row.problem is not None:
        return BatchEntry(shown, row.problem)
    try:
        caller.require_company(row.company)
    except EtterError as error:
        return BatchEntry(shown, error)
    jd = DocumentRef(type=DocumentType.JOB_DESCRIPTION, content=row.content)
    return BatchEntry(
        shown,
        PushOrder(
            company_id=row.company,
            role_name=row.role_name,
            documents=(jd,) if row.content else (),
            draup_role_id=row.draup_role_id,
            draup_role_name=row.draup_role_name,
            use_mock=use_mock,
            source=Source.BATCH,
        ),
    )


def push_filter(body: FilterBody, caller: Caller, services: Services) -> PushFilter:
    """The filter of a list or a bulk operation, within the caller's companies, times resolved.

    Args:
        body: As sent.
        caller: Whose companies count.
        services: Their clock is the present.

    Raises:
        EtterError: A company that is not the caller's, or a time that is none.
    """
    companies = tuple(sorted(caller.companies)) if caller.companies is not None else None
    if body.company is not None:
        companies = (normalize_name(body.company),)
        caller.require_company(companies[0])
    now = services.clock()
    return PushFilter(
        companies=companies,
        states=body.state or None,
        error_code=body.error_code,
        batch_id=body.batch_id,
        source=body.source,
        since=moment("since", body.since, now),
        until=moment("until", body.until, now),
        q=normalize_name(body.q) if body.q else None,
    )
