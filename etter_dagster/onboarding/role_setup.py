"""The first step: the role's node and its linked documents."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime

from etter_dagster.model.catalogue import KnownDocument
from etter_dagster.model.documents import (
    DocumentRef,
    DocumentType,
    LinkedDocument,
    text_hash,
)
from etter_dagster.model.errors import FieldProblem, ValidationFailed
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.push import StepStatus
from etter_dagster.model.role import Role
from etter_dagster.onboarding.reporting import Materialization
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.source_documents import documents_of, documents_of_types
from etter_dagster.onboarding.status import find_push
from etter_dagster.onboarding.steps import Step, StepContext, StepResult

SUMMARY_NAME = "summary of the taxonomy"


class RoleSetup(Step):
    """Creates or mends the CompanyRole node and links its documents."""

    name = "role_setup"
    sub_state = "role_setup"
    assets = ("company_role", "job_description")
    required = True
    timeout_seconds = 300.0
    attempts = 3

    async def run(self, context: StepContext) -> StepResult:
        """Writes the node, then the links; both are safe to repeat."""
        started = time.monotonic()
        request = context.claim.request
        role = await context.services.graph.put_role(
            request.company_id,
            request.role_name,
            draup_role_id=request.draup_role_id,
            draup_role_name=request.draup_role_name,
            token=context.claim.token,
        )
        await context.report(role_made(role, self.code_version, time.monotonic() - started))
        started = time.monotonic()
        role, documents, left_out = await self._link(context, role)
        if left_out:
            context.notes[self.name] = _said(left_out)
        await context.report(
            documents_linked(
                role,
                documents,
                self.code_version,
                time.monotonic() - started,
                left_out=left_out,
            )
        )
        jd = next((d for d in documents if d.type is DocumentType.JOB_DESCRIPTION), None)
        return StepResult(
            outputs={
                "company_role_id": role.role_id,
                "jd_id": jd.document_id if jd else None,
                "jd_hash": role.jd_hash,
            }
        )

    async def _link(
        self, context: StepContext, role: Role
    ) -> tuple[Role, Sequence[LinkedDocument], Mapping[DocumentType, str]]:
        services, request = context.services, context.claim.request
        given = linked_documents(request.documents, services.clock())
        before, left_out = role.catalogued, {}
        own = any(document.name != SUMMARY_NAME for document in given)
        if not given and not role.jd_hash and not role.documents_hash:
            sources = await documents_of(services, request.company_id, request.role_name)
            left_out = dict(sources.left_out)
            given = linked_documents(sources.found, services.clock()) or _summary(
                role, services.clock()
            )
        elif not given and await _lacked(services, role):
            linked = {document.type for document in await services.graph.documents(role.role_id)}
            sources = await documents_of_types(
                services,
                request.company_id,
                request.role_name,
                [type_ for type_ in DocumentType if type_ not in linked],
            )
            left_out = dict(sources.left_out)
            given = linked_documents(sources.found, services.clock())
        if given:
            role = await services.graph.link_documents(
                role.role_id, given, token=context.claim.token
            )
            if not own:
                await _mind_catalogue(services, role, before, left_out)
        documents = await services.graph.documents(role.role_id)
        if not documents:
            raise ValidationFailed(
                FieldProblem("documents", "the role has no document any more; push it with one")
            )
        return role, documents, left_out


async def _lacked(services: Services, role: Role) -> bool:
    """Whether the role's last push went on without a document that it should have had."""
    if role.workflow_id is None or role.state is RoleStatus.READY:
        return False
    last = await find_push(services, role.workflow_id)
    steps = last.steps if last else ()
    return any(
        step.name == RoleSetup.name
        and step.status is StepStatus.COMPLETED
        and step.error_message is not None
        for step in steps
    )


async def _mind_catalogue(
    services: Services,
    role: Role,
    before: Sequence[KnownDocument] | None,
    left_out: Mapping[DocumentType, str],
) -> None:
    """What was not linked as the catalogue lists it is to be fetched again with the next listing.

    Of a role that was not listed before its text was fetched, nobody knows whether the listing to
    come is of that text; the same if it was listed meanwhile.
    """
    listed = role.catalogued if role.catalogued == before else None
    known = tuple(document for document in listed or () if document.type not in left_out)
    if known != role.catalogued:
        await services.graph.put_catalogue({role.role_id: known})


def _said(left_out: Mapping[DocumentType, str]) -> str:
    why = "; ".join(f"{type_.value} ({message})" for type_, message in left_out.items())
    return (
        f"left out: {why}. Mend it at its source and retry, or wait for `document_sensor`; or push "
        "the role with it"
    )


def role_version(role: Role) -> str:
    """The data version of the role's node."""
    return text_hash(f"{role.role_id} {role.inputs.draup_role}")[:16]


def documents_version(role: Role) -> str:
    """The data version of what is linked to the role."""
    return text_hash(f"{role.jd_hash} {role.documents_hash}")[:16]


def role_made(role: Role, code_version: str, seconds: float | None = None) -> Materialization:
    """The role's node as it is now.

    Args:
        role: The role.
        code_version: Of the step that makes it.
        seconds: How long it took.
    """
    return Materialization(
        asset="company_role",
        role_id=role.role_id,
        metadata={
            "company": role.company_id,
            "role": role.role_name,
            "draup_role": role.draup_role_name or role.draup_role_id,
            "duration_seconds": None if seconds is None else round(seconds, 4),
        },
        data_version=role_version(role),
        code_version=code_version,
    )


def documents_linked(
    role: Role,
    documents: Sequence[LinkedDocument],
    code_version: str,
    seconds: float | None = None,
    *,
    left_out: Mapping[DocumentType, str] | None = None,
) -> Materialization:
    """What is linked to a role now.

    Args:
        role: The role.
        documents: As linked.
        code_version: Of the step that links them.
        seconds: How long it took.
        left_out: Why others are not, by type.
    """
    return Materialization(
        asset="job_description",
        role_id=role.role_id,
        metadata={
            "company": role.company_id,
            "role": role.role_name,
            "documents": [
                {"type": d.type.value, "name": d.name or "", "characters": len(d.content)}
                for d in documents
            ],
            "left_out": [
                {"type": type_.value, "reason": reason}
                for type_, reason in (left_out or {}).items()
            ],
            "jd_hash": role.jd_hash,
            "duration_seconds": None if seconds is None else round(seconds, 4),
        },
        data_version=documents_version(role),
        code_version=code_version,
    )


def _summary(role: Role, now: datetime) -> tuple[LinkedDocument, ...]:
    """The taxonomy's summary in place of a job description; nothing where it has none."""
    text = role.taxonomy.general_summary if role.taxonomy else None
    return linked_documents([DocumentRef(content=text, name=SUMMARY_NAME)], now)


def linked_documents(
    references: Sequence[DocumentRef], now: datetime
) -> tuple[LinkedDocument, ...]:
    """Documents of a request that have their text, ready to be linked."""
    return tuple(
        LinkedDocument(
            document_id=f"doc-{ref.type.value}-{digest[:24]}",
            type=ref.type,
            name=ref.name,
            content=ref.content,
            content_hash=digest,
            linked_at=now,
        )
        for ref in references
        if ref.content and ref.content.strip()
        for digest in (text_hash(ref.content),)
    )
