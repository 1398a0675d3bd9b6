"""The single steps of the library: each works one part of a role on the configured stores."""

from __future__ import annotations

from typing import Any

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.envelope import ExecutionContext
from etter_dagster.model.errors import EtterError, NotFound, Postponed
from etter_dagster.model.identity import new_workflow_id
from etter_dagster.onboarding.assessing import Occasion, assess_role
from etter_dagster.onboarding.role_setup import linked_documents
from etter_dagster.onboarding.roles import define_role
from etter_dagster.onboarding.services import Services, open_services


async def create_company_role(
    *,
    company_name: str,
    role_name: str,
    draup_role_name: str | None = None,
    context: ExecutionContext | None = None,
    services: Services | None = None,
) -> dict[str, Any]:
    """Creates the CompanyRole node, or finds it.

    Returns:
        `{company_role_id, company_name, role_name, draup_role_name}`.

    Raises:
        ValidationFailed: A name is wrong.
    """
    async with _opened(services) as opened:
        view = await define_role(opened, company_name, role_name, draup_role_name=draup_role_name)
    return {
        "company_role_id": view.role_id,
        "company_name": company_name,
        "role_name": view.job_title,
        "draup_role_name": view.draup_role,
    }


async def link_job_description(
    *,
    company_role_id: str,
    jd_content: str,
    context: ExecutionContext | None = None,
    services: Services | None = None,
) -> dict[str, Any]:
    """Links a JD to a role.

    Returns:
        `{jd_id, company_role_id, jd_hash}`.

    Raises:
        NotFound: Unknown role.
        ValidationFailed: The JD is empty or cannot be stored.
    """
    async with _opened(services) as opened:
        role = await opened.graph.role(company_role_id)
        if role is None:
            raise NotFound(company_role_id, "create it first with create_company_role")
        document = DocumentRef(type=DocumentType.JOB_DESCRIPTION, content=jd_content)
        await define_role(opened, role.company_id, role.role_name, documents=[document])
        jd = linked_documents([document], opened.clock())[0]
    return {
        "jd_id": jd.document_id,
        "company_role_id": company_role_id,
        "jd_hash": jd.content_hash,
    }


async def run_ai_assessment(
    *,
    company_name: str,
    role_name: str,
    company_role_id: str,
    context: ExecutionContext | None = None,
    services: Services | None = None,
) -> dict[str, Any]:
    """Assesses a role's linked documents with the configured assessor; the role's state stays.

    Returns:
        `{assessment_id, company_role_id, ai_automation_score, summary}`.

    Raises:
        NotFound: Unknown role, or nothing is linked to it.
        AssessmentFailed: The assessor says no.
        EtterError: It cannot be asked now: its budget is spent, or it is left alone for a while.
    """
    async with _opened(services) as opened:
        role = await opened.graph.role(company_role_id)
        documents = await opened.graph.documents(company_role_id) if role else []
        if role is None or not documents:
            raise NotFound(
                f"a linked document of {company_role_id}", "call link_job_description first"
            )
        try:
            assessment, _ = await assess_role(opened, role, Occasion(workflow_id=new_workflow_id()))
        except Postponed as error:
            raise EtterError(error.code, str(error), recoverable=True) from error
    return {
        "assessment_id": assessment.assessment_id,
        "company_role_id": role.role_id,
        "ai_automation_score": assessment.scores.final_score,
        "summary": assessment.summary,
    }


class _opened:  # noqa: N801 - reads as a verb
    """The given services, or those of the environment for the time of a block."""

    def __init__(self, services: Services | None) -> None:
        self._given = services
        self._services = services or open_services()

    async def __aenter__(self) -> Services:
        return self._services

    async def __aexit__(self, *error: object) -> None:
        if self._given is None:
            await self._services.close()
