"""The Python library: one onboarding from a script or a notebook, with no server.

Works on the stores that the settings name, past the queue: the push is claimed by this process at
once and walked here.
"""

from __future__ import annotations

import asyncio
import importlib
import uuid
from collections.abc import Sequence

from etter_dagster.model.assessment import Assessment, AssessmentOutputs
from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.envelope import Envelope, EnvelopeProgress
from etter_dagster.model.errors import EtterError, FieldProblem, NotFound, ValidationFailed
from etter_dagster.model.identity import is_workflow_id, new_workflow_id
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push, PushError, Source, StepStatus
from etter_dagster.model.role import Role
from etter_dagster.model.workflow import RoleOnboardingInput, WorkflowResult
from etter_dagster.onboarding.accept import mark_changed, ready_push
from etter_dagster.onboarding.archive import archive
from etter_dagster.onboarding.budget import tolls
from etter_dagster.onboarding.check import PushOrder, Refused, check
from etter_dagster.onboarding.partition_run import claim_checked, walk_claimed
from etter_dagster.onboarding.reporting import Reporter, Silent
from etter_dagster.onboarding.services import Services, open_services, prepare
from etter_dagster.onboarding.status import find_push

# Dagster's side is loaded by name: this layer imports no Dagster.
_DAGSTER_REPORTER = "etter_dagster.orchestration.runless"


class RoleOnboardingWorkflow:
    """One onboarding under a workflow id of one's own.

    Args:
        workflow_id: `role-onboard-<12 hex>`; a fresh one, if None.
        use_mock_assessment: Whether to assess with the built-in assessor whatever is configured.
        services: Opened from the environment for the time of the work, if None.
    """

    def __init__(
        self,
        workflow_id: str | None = None,
        use_mock_assessment: bool = False,
        *,
        services: Services | None = None,
    ) -> None:
        if workflow_id is not None and not is_workflow_id(workflow_id):
            raise ValidationFailed(
                FieldProblem("workflow_id", "has the form role-onboard-<12 hex digits>")
            )
        self.workflow_id = workflow_id or new_workflow_id()
        self.use_mock_assessment = use_mock_assessment
        self._services = services

    async def execute(self, role_input: RoleOnboardingInput) -> WorkflowResult:
        """Onboards the role; a failed or invalid onboarding is a result, not an exception.

        Args:
            role_input: The role, its documents and options.
        """
        if not isinstance(role_input, RoleOnboardingInput):
            raise TypeError("execute takes a RoleOnboardingInput")
        services = self._services or open_services()
        try:
            return await self._execute(services, role_input)
        except EtterError as error:
            return self._refused(error)
        finally:
            if self._services is None:
                await services.close()

    async def run(self, envelope: Envelope) -> Envelope:
        """The same as an envelope: `inputs` are those of `RoleOnboardingInput`."""
        result = await self.execute(RoleOnboardingInput.model_validate(envelope.inputs))
        done = len([s for s in result.steps_completed if s.status is StepStatus.COMPLETED])
        return envelope.model_copy(
            update={
                "status": "completed" if result.success else "failed",
                "progress": EnvelopeProgress(
                    current=done, total=max(1, len(result.steps_completed))
                ),
                "outputs": result.model_dump(mode="json", include={"role_id", "outputs"})
                if result.success
                else None,
                "error": result.error,
            }
        )

    async def _execute(self, services: Services, given: RoleOnboardingInput) -> WorkflowResult:
        await prepare(services)
        order = PushOrder(
            company_id=given.company_id,
            role_name=given.role_name,
            documents=given.documents,
            draup_role_id=given.draup_role_id,
            draup_role_name=given.draup_role_name,
            options=given.options,
            use_mock=self.use_mock_assessment,
            source=Source.LIBRARY,
            created_by=given.context.user_id if given.context else None,
            workflow_id=self.workflow_id,
        )
        verdict = (await check(services, [order], ask_sources=True, allow_file=True))[0]
        if isinstance(verdict, Refused):
            raise verdict.error
        ready = await ready_push(services, verdict)
        if ready is not None:
            return await self._result(
                services, await find_push(services, ready), verdict.request.role_id
            )
        if await find_push(services, self.workflow_id) is not None:
            raise ValidationFailed(
                FieldProblem("workflow_id", "is that of an earlier push; take a new one")
            )
        (toll,) = await tolls(services, [verdict])
        if isinstance(toll, EtterError):
            raise toll
        await mark_changed(services, verdict)
        reporter = await asyncio.to_thread(_reporter)
        worker = f"library-{uuid.uuid4().hex}"
        claim = await claim_checked(services, verdict, worker)
        await reporter.claimed([claim.push.role_id])
        # Nobody may be there to serve a queue: what cannot go on now has failed.
        push = await walk_claimed(services, claim, worker, reporter, None, may_wait=False)
        await archive(services, tell=reporter.given_up)
        return await self._result(services, push, push.role_id)

    async def _result(self, services: Services, push: Push | None, rid: str) -> WorkflowResult:
        if push is None:
            raise NotFound(rid)
        done = push.status in (WorkflowState.READY, WorkflowState.DEGRADED)
        role = await services.graph.role(rid)
        assessment = await self._assessment(services, role) if role else None
        return WorkflowResult(
            success=done,
            workflow_id=push.workflow_id,
            role_id=rid,
            status=push.status,
            outputs=AssessmentOutputs(
                scores=assessment.scores,
                tasks=assessment.tasks,
                summary=assessment.summary,
                cost=assessment.cost,
            )
            if done and assessment
            else None,
            dashboard_url=services.settings.dashboard_url(role.company_id, rid)
            if done and role
            else None,
            steps_completed=tuple(s for s in push.steps if s.status is not StepStatus.PENDING),
            error=push.error,
        )

    async def _assessment(self, services: Services, role: Role) -> Assessment | None:
        """The one asked for: beside a paid one, a mock is not the current one."""
        if not self.use_mock_assessment:
            return await services.graph.current_assessment(role.role_id)
        mock = services.assessors.for_push(True).info
        return await services.graph.find_assessment(
            role.role_id, role.inputs.inputs_hash, mock.key, not_before=role.created_at
        )

    def _refused(self, error: EtterError) -> WorkflowResult:
        return WorkflowResult(
            success=False,
            workflow_id=self.workflow_id,
            status=WorkflowState.FAILED,
            error=PushError(
                code=error.code.value, message=error.message, recoverable=error.recoverable
            ),
        )


async def execute_role_onboarding(
    company_id: str,
    role_name: str,
    documents: Sequence[DocumentRef] | None = None,
    draup_role_name: str | None = None,
    use_mock_assessment: bool = False,
) -> WorkflowResult:
    """Onboards one role from start to end in this process.

    Args:
        company_id: The company's name.
        role_name: The role's name.
        documents: What describes it; not needed where a JD is known.
        draup_role_name: The standard role; not needed where it is known.
        use_mock_assessment: Whether to assess with the built-in assessor whatever is configured.

    Returns:
        The result; `success` is false for a failed or refused onboarding.

    Raises:
        pydantic.ValidationError: An argument has the wrong type.
    """
    given = RoleOnboardingInput(
        company_id=company_id,
        role_name=role_name,
        documents=tuple(documents or ()),
        draup_role_name=draup_role_name,
    )
    return await RoleOnboardingWorkflow(use_mock_assessment=use_mock_assessment).execute(given)


def _reporter() -> Reporter:
    """Dagster's, where an instance is configured (`DAGSTER_HOME`); else nobody is told."""
    try:
        found = importlib.import_module(_DAGSTER_REPORTER).reporter_from_environment()
    except ImportError:
        return Silent()
    return found or Silent()
