"""The checks a push must pass before it is queued, cheapest first, all problems in one message.

Nothing is written here; `accept.py` writes what passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from etter_dagster.model.claim_order import Lane
from etter_dagster.model.documents import (
    MAX_DOCUMENT_BYTES,
    MAX_DOCUMENTS,
    DocumentRef,
)
from etter_dagster.model.errors import (
    AlreadyProcessing,
    ErrorCode,
    EtterError,
    FieldProblem,
    ValidationFailed,
)
from etter_dagster.model.identity import name_problem, normalize_name, role_id
from etter_dagster.model.push import Push, PushRequest, Source, WorkflowOptions
from etter_dagster.model.role import Role
from etter_dagster.onboarding.hinting import Hints
from etter_dagster.onboarding.known import (
    Asked,
    document_known,
    entry_of,
    sources_of,
    summary_of,
)
from etter_dagster.onboarding.services import Services
from etter_dagster.sources.fetch import fetch_document
from etter_dagster.tracing import traceparent

AT_ONCE = 200
_NO_DOCUMENT = FieldProblem(
    "documents", "give at least one document with content or a uri: none is known yet"
)
_NO_DRAUP_ROLE = FieldProblem(
    "draup_role_name", "give the Draup role (or draup_role_id): none is known yet"
)
_LACKING = {_NO_DOCUMENT, _NO_DRAUP_ROLE}


class PushOrder(BaseModel):
    """What a producer asks for, as it came."""

    model_config = ConfigDict(frozen=True)

    company_id: str
    role_name: str
    documents: tuple[DocumentRef, ...] = ()
    draup_role_id: str | None = None
    draup_role_name: str | None = None
    options: WorkflowOptions = Field(default_factory=WorkflowOptions)
    use_mock: bool = False
    source: Source
    created_by: str | None = None
    batch_id: str | None = None
    retry_of: str | None = None
    workflow_id: str | None = None
    lane: Lane | None = None  # the source's, if None


@dataclass(frozen=True)
class Checked:
    """An order that may go on: what to queue, and the role as it is known (None: new)."""

    order: PushOrder
    request: PushRequest
    role: Role | None


@dataclass(frozen=True)
class Refused:
    """An order that may not; `role` is the known one, if any."""

    error: EtterError
    role: Role | None = None


@dataclass(frozen=True)
class _Fetch:
    """Whether `uri`s may be fetched and remote sources asked, and local files read."""

    allowed: bool
    file: bool


async def check(
    services: Services, orders: Sequence[PushOrder], *, ask_sources: bool, allow_file: bool = False
) -> list[Checked | Refused]:
    """Checks orders, one verdict each, in their order.

    Args:
        services: Stores and sources.
        orders: What is asked for.
        ask_sources: Whether `uri`s may be fetched, and remote sources asked for what the catalogue
            lacks (a single push; a batch never does).
        allow_file: Whether a `uri` may be a local file (the library).
    """
    orders = [_normalized(order) for order in orders]
    ids = [role_id(order.company_id, order.role_name) for order in orders]
    roles = await services.graph.roles_by_id(list(dict.fromkeys(ids)))
    active = await services.queue.active(list(dict.fromkeys(ids)))
    fetch = _Fetch(ask_sources, allow_file)
    hints = Hints(services, near=len(orders) == 1)
    verdicts: list[Checked | Refused] = []
    for order, rid in zip(orders, ids, strict=True):
        if len(verdicts) % AT_ONCE == 0:
            await asyncio.sleep(0)  # others must not wait for thousands of orders
        try:
            verdicts.append(await _check_one(services, order, roles.get(rid), active, fetch))
        except EtterError as error:
            if rid not in roles and error.fields and {*error.fields} <= _LACKING:
                error = await hints.hinted(error, order.company_id, order.role_name)
            verdicts.append(Refused(error, roles.get(rid)))
    return verdicts


def _normalized(order: PushOrder) -> PushOrder:
    def draup(text: str | None) -> str | None:
        return (normalize_name(text) or None) if text else None

    return order.model_copy(
        update={
            "company_id": normalize_name(order.company_id),
            "role_name": normalize_name(order.role_name),
            "draup_role_id": draup(order.draup_role_id),
            "draup_role_name": draup(order.draup_role_name),
        }
    )


async def _check_one(
    services: Services,
    order: PushOrder,
    role: Role | None,
    active: Mapping[str, Push],
    fetch: _Fetch,
) -> Checked:
    names = [
        problem
        for field, text in (
            ("company_id", order.company_id),
            ("role_name", order.role_name),
            ("draup_role_id", order.draup_role_id),
            ("draup_role_name", order.draup_role_name),
        )
        if text is not None and (problem := name_problem(field, text))
    ]
    check_sizes(order.documents)
    if names:
        raise ValidationFailed(*names, *_lacking_of_no_role(order, names))
    sources = sources_of(services, remote=fetch.allowed)
    draup_id, draup_name = await _draup_role(sources, order, role)
    documents = await _documents(sources, order, role)
    problems = []
    if documents is None:
        problems.append(_NO_DOCUMENT)
    if not (draup_id or draup_name):
        problems.append(_NO_DRAUP_ROLE)
    rid = role_id(order.company_id, order.role_name)
    if rid in active and active[rid].workflow_id != order.workflow_id:
        # Before what lacks: the push in work may be just bringing it.
        raise AlreadyProcessing(order.role_name, active[rid].workflow_id)
    if problems:
        raise ValidationFailed(*problems)
    request = PushRequest(
        company_id=order.company_id,
        role_name=order.role_name,
        role_id=rid,
        documents=await _resolved(services, order.company_id, documents or (), fetch),
        # What the role has already is not written again: it may change while the push waits.
        draup_role_id=None if _keeps_mapping(order, role) else draup_id,
        draup_role_name=None if _keeps_mapping(order, role) else draup_name,
        options=order.options,
        use_mock=order.use_mock,
        traceparent=traceparent(),
    )
    return Checked(order, request, role)


def _lacking_of_no_role(order: PushOrder, names: Sequence[FieldProblem]) -> list[FieldProblem]:
    """What else an order lacks whose names no role can have: nothing is known of it."""
    if not {problem.field for problem in names} & {"company_id", "role_name"}:
        return []
    lacking = [] if _brings_document(order) else [_NO_DOCUMENT]
    return lacking if order.draup_role_id or order.draup_role_name else [*lacking, _NO_DRAUP_ROLE]


def _brings_document(order: PushOrder) -> bool:
    return any((d.content and d.content.strip()) or d.uri for d in order.documents)


def check_sizes(documents: Sequence[DocumentRef]) -> None:
    """Refuses too many documents, or one that is too long.

    Raises:
        EtterError: `PAYLOAD_TOO_LARGE`.
        ValidationFailed: A text that cannot be stored.
    """
    if len(documents) > MAX_DOCUMENTS:
        raise EtterError(
            ErrorCode.PAYLOAD_TOO_LARGE,
            f"documents: {len(documents)} were given; at most {MAX_DOCUMENTS} are allowed",
            fields=[FieldProblem("documents", f"give at most {MAX_DOCUMENTS}")],
        )
    for index, document in enumerate(documents):
        check_document_text(f"documents[{index}].content", document.content or "")


def check_document_text(field: str, text: str) -> None:
    """Refuses a text that is too long or cannot be stored.

    Raises:
        EtterError: `PAYLOAD_TOO_LARGE` over 2 MiB of UTF-8.
        ValidationFailed: It holds NUL or a lone surrogate.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ValidationFailed(FieldProblem(field, "holds a lone surrogate; remove it")) from None
    if size > MAX_DOCUMENT_BYTES:
        raise EtterError(
            ErrorCode.PAYLOAD_TOO_LARGE,
            f"{field}: {size} bytes of text; at most {MAX_DOCUMENT_BYTES} are allowed",
            fields=[FieldProblem(field, "shorten or split the document")],
        )
    if "\0" in text:
        raise ValidationFailed(FieldProblem(field, "holds a NUL character; remove it"))


def _keeps_mapping(order: PushOrder, role: Role | None) -> bool:
    given = order.draup_role_id or order.draup_role_name
    return not given and bool(role and (role.draup_role_id or role.draup_role_name))


async def _draup_role(
    sources: Asked, order: PushOrder, role: Role | None
) -> tuple[str | None, str | None]:
    """The Draup role that holds: of the order, the role, or the taxonomy."""
    if order.draup_role_id or order.draup_role_name:
        return order.draup_role_id, order.draup_role_name
    if role and (role.draup_role_id or role.draup_role_name):
        return role.draup_role_id, role.draup_role_name
    entry = await entry_of(sources, order.company_id, order.role_name)
    return (entry.draup_role_id, entry.draup_role) if entry else (None, None)


async def _documents(
    sources: Asked, order: PushOrder, role: Role | None
) -> tuple[DocumentRef, ...] | None:
    """The documents that the push brings; None where there is no document at all."""
    if _brings_document(order):
        return order.documents
    if await document_known(sources, order.company_id, order.role_name, role):
        return order.documents
    summary = await summary_of(sources, order.company_id, order.role_name)
    return None if summary is None else (*order.documents, summary)


async def with_text(
    services: Services, company: str, documents: Sequence[DocumentRef]
) -> tuple[DocumentRef, ...]:
    """A company's documents with their text, fetched from their `uri` where they bring none.

    Raises:
        EtterError: A `uri` is not allowed or cannot be read, or a text cannot be stored.
    """
    return await _resolved(services, company, documents, _Fetch(allowed=True, file=False))


async def _resolved(
    services: Services, company: str, documents: Sequence[DocumentRef], fetch: _Fetch
) -> tuple[DocumentRef, ...]:
    """Documents with their text; a `uri` is fetched here, once, for a single push."""
    resolved = []
    for index, document in enumerate(documents):
        if document.content and document.content.strip():
            resolved.append(document)
        elif document.uri:
            if not fetch.allowed:
                raise ValidationFailed(
                    FieldProblem(
                        f"documents[{index}].uri",
                        "a batch takes no uri: give the content, or push the role by itself",
                    )
                )
            text = await fetch_document(
                document.uri,
                services.settings,
                field=f"documents[{index}].uri",
                company=company,
                allow_file=fetch.file,
            )
            check_document_text(f"documents[{index}].uri", text)
            resolved.append(document.model_copy(update={"content": text}))
    return tuple(resolved)
