"""One role's assessment, found again or made: who needs one comes here, so none is paid twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from etter_dagster.assessors.protocol import AssessmentFailed, AssessmentRequest, Assessor
from etter_dagster.assessors.quality.judging import judge
from etter_dagster.model.assessment import Assessment, assessment_id
from etter_dagster.model.documents import DocumentType, LinkedDocument
from etter_dagster.model.role import Role
from etter_dagster.onboarding.mock import is_mock_beside_paid
from etter_dagster.onboarding.restoring import finished_assessment
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import find_push
from etter_dagster.stores.protocols import Claim

_EVER = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MAX_RETRIES = 1000


@dataclass(frozen=True)
class Occasion:
    """Why a role is assessed: the push, and how far older assessments count."""

    workflow_id: str
    use_mock: bool = False
    force_rerun: bool = False
    retry_of: str | None = None
    run_id: str | None = None
    token: int | None = None

    @classmethod
    def of(cls, claim: Claim, run_id: str | None) -> Occasion:
        """That of a claimed push."""
        return cls(
            workflow_id=claim.push.workflow_id,
            use_mock=claim.request.use_mock,
            force_rerun=claim.request.options.force_rerun,
            retry_of=claim.push.retry_of,
            run_id=run_id,
            token=claim.token,
        )


async def assess_role(
    services: Services, role: Role, occasion: Occasion, *, code_version: str | None = None
) -> tuple[Assessment, bool]:
    """Finds or makes the assessment of a role's inputs as linked now, and makes it the current one.

    Args:
        services: Graph, assessors, settings, clock.
        role: The role, documents linked.
        occasion: The push it is for.
        code_version: Recorded with a new one.

    Returns:
        The assessment, and whether it was there already.

    Raises:
        AssessmentFailed, TransientError: As the assessor says.
        LeaseLost: Somebody else holds the push by now.
    """
    assessor = services.assessors.for_push(occasion.use_mock)
    assessment = await _finished(services, role, assessor, occasion)
    reused = assessment is not None
    if assessment is None:
        assessment = await _made(services, role, assessor, occasion, code_version)
    await services.graph.add_assessment(
        assessment,
        current=not is_mock_beside_paid(services, role, occasion.use_mock),
        token=occasion.token,
    )
    return assessment, reused


async def _finished(
    services: Services, role: Role, assessor: Assessor, occasion: Occasion
) -> Assessment | None:
    """Any that is young enough; under `force_rerun` only one that this very push has made,
    before its worker died.
    """
    found = await finished_assessment(services, role, role.inputs, assessor.info)
    if found and (found.workflow_id == occasion.workflow_id or not occasion.force_rerun):
        return found
    return None


async def _made(
    services: Services,
    role: Role,
    assessor: Assessor,
    occasion: Occasion,
    code_version: str | None,
) -> Assessment:
    inputs = role.inputs
    renew = occasion.force_rerun or await _made_before(services, role, assessor)
    documents = await services.graph.documents(role.role_id)
    await asyncio.to_thread(refuse_no_jd, documents)
    outputs = await assessor.assess(
        AssessmentRequest(
            company_id=role.company_id,
            role_id=role.role_id,
            role_name=role.role_name,
            draup_role_name=inputs.draup_role,
            documents=tuple(documents),
            inputs=inputs,
            workflow_id=occasion.workflow_id,
            force_rerun=occasion.force_rerun,
            renew=renew,
            origin=await _origin(services, occasion),
        )
    )
    return Assessment(
        assessment_id=assessment_id(occasion.workflow_id, inputs.inputs_hash, assessor.info),
        role_id=role.role_id,
        workflow_id=occasion.workflow_id,
        assessor=assessor.info,
        inputs=inputs,
        inputs_hash=inputs.inputs_hash,
        scores=outputs.scores,
        tasks=outputs.tasks,
        summary=outputs.summary,
        cost=outputs.cost,
        created_at=services.clock(),
        run_id=occasion.run_id,
        code_version=code_version,
        provenance=outputs.provenance,
    )


async def _made_before(services: Services, role: Role, assessor: Assessor) -> bool:
    """Whether there is a finished one that has become too old."""
    found = await services.graph.find_assessment(
        role.role_id, role.inputs.inputs_hash, assessor.info.key, not_before=_EVER
    )
    return found is not None


async def _origin(services: Services, occasion: Occasion) -> str:
    """The first push of a chain of retries: all of them are one request to assess anew."""
    workflow_id, earlier = occasion.workflow_id, occasion.retry_of
    for _ in range(_MAX_RETRIES):
        push = await find_push(services, earlier) if earlier else None
        if push is None:
            break
        workflow_id, earlier = push.workflow_id, push.retry_of
    return workflow_id


def refuse_no_jd(documents: Sequence[LinkedDocument]) -> None:
    """Refuses a role whose job descriptions are none, before anything is spent on them.

    Documents of other types are not judged: whoever links them says what they are.

    Raises:
        AssessmentFailed: None of the role's job descriptions is one; says what they look like.
    """
    verdicts = [
        judge(document.content)
        for document in documents
        if document.type is DocumentType.JOB_DESCRIPTION
    ]
    if verdicts and not any(verdict.is_jd for verdict in verdicts):
        raise AssessmentFailed(verdicts[0].reason)
