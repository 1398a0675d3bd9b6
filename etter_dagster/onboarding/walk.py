"""The one place where a role is worked on: a claimed push goes through its steps to its end.

The serving run, a partition run and the library call it. A role's failure is its push's outcome,
never an exception: only a lost lease, an unreachable store or a cancellation leave this module.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from etter_dagster.logs import logged
from etter_dagster.model.envelope import Envelope, EnvelopeProgress, ExecutionContext
from etter_dagster.model.errors import ErrorCode, LeaseLost, Postponed, StoreUnavailable
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.push import Push, PushError, StepRecord, StepStatus
from etter_dagster.model.role import Role
from etter_dagster.onboarding.mock import is_mock_beside_paid
from etter_dagster.onboarding.reporting import Materialization, Reporter
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.stale import mark_stale
from etter_dagster.onboarding.steps import Step, StepContext, completed, push_error
from etter_dagster.stores.protocols import Claim, Finish
from etter_dagster.tracing import span, trace_id

PUSH_TIMEOUT = timedelta(hours=2)  # from the push's first start, over all its leases
log = logging.getLogger(__name__)


async def walk(
    services: Services,
    claim: Claim,
    reporter: Reporter,
    *,
    run_id: str | None = None,
    may_wait: bool = True,
) -> Push:
    """Works one claimed push to its end.

    Args:
        services: Stores, assessors, steps.
        claim: The push with its lease.
        reporter: Told what was made and what failed.
        run_id: The Dagster run, if any.
        may_wait: Whether a push that cannot go on now is given back; else it fails.

    Returns:
        The push as it ended.

    Raises:
        LeaseLost: Somebody else holds the push by now; nothing more was written.
        StoreUnavailable: The push keeps its lease until that lapses and is tried again.
        Postponed: The push must be given back; nothing more was written.
    """
    ids = {"workflow_id": claim.push.workflow_id, "role_id": claim.push.role_id, "run_id": run_id}
    attributes = {f"etter.{name}": value for name, value in ids.items()}
    with (
        span("push", attributes, kind="consumer", parent=claim.request.traceparent) as note,
        logged(trace_id=trace_id(), **ids),
    ):
        ended = await _Walk(services, claim, reporter, run_id, may_wait).run()
        note("etter.status", ended.status.value)
        note("error.type", ended.error.code if ended.error else None)
        return ended


class _Walk:
    """One walk: its steps' progress, and what was reported so far."""

    def __init__(
        self,
        services: Services,
        claim: Claim,
        reporter: Reporter,
        run_id: str | None,
        may_wait: bool,
    ) -> None:
        self.services = services
        self.claim = claim
        self.reporter = reporter
        self.may_wait = may_wait
        self.push = claim.push
        self.progress = [StepRecord(name=step.name) for step in services.steps]
        self.made: set[str] = set()
        self.error: PushError | None = None
        self.degraded = False
        self.context = StepContext(
            services=services, claim=claim, report=self._report, run_id=run_id
        )

    async def run(self) -> Push:
        try:
            for index, step in enumerate(self.services.steps):
                if self.error is not None or self._skips(step):
                    self._set(index, status=StepStatus.SKIPPED)
                else:
                    await self._step(index, step)
        except (LeaseLost, StoreUnavailable, Postponed):
            raise
        except Exception as error:
            # Outside a step only a bug can end here; it must not be tried for ever.
            log.exception("%s (%s)", self.push.workflow_id, self.push.role_id)
            self.error = push_error(error)
        return await self._finish()

    async def _step(self, index: int, step: Step) -> None:
        started = self.services.clock()
        self.context.retries = 0
        self._set(index, status=StepStatus.RUNNING, started_at=started)
        await self.services.queue.progress(
            self.push.workflow_id, self.claim.token, steps=self.progress, current_step=step.name
        )
        with span(f"step {step.name}", {"etter.workflow_id": self.push.workflow_id}) as note:
            envelope = await self._execute(index, step)
            error = envelope.error
            note("error.type", error.code if error else None)
        ended = self.services.clock()
        lacking = self.context.notes.get(step.name)
        self._set(
            index,
            status=StepStatus.FAILED if error else StepStatus.COMPLETED,
            completed_at=ended,
            duration_ms=max(0, round((ended - started) / timedelta(milliseconds=1))),
            error_message=error.message if error else lacking,
            retries=self.context.retries,
        )
        self.degraded = self.degraded or lacking is not None
        self.context.outputs.update(envelope.outputs or {})
        if error is not None:
            await self._failed(step, error)
        else:
            await self._report_rest(step, envelope.outputs or {})

    async def _execute(self, index: int, step: Step) -> Envelope:
        envelope = Envelope(
            id=self.push.workflow_id,
            inputs=dict(self.context.outputs),
            context=ExecutionContext(company_id=self.push.company_id, user_id=self.push.created_by),
            status="running",
            progress=EnvelopeProgress(current=index, total=len(self.progress)),
        )
        left = self._time_left()
        try:
            return await asyncio.wait_for(step.execute(envelope, self.context), max(0.0, left))
        except Postponed as postponed:
            if self.may_wait:
                raise
            return envelope.model_copy(update={"status": "failed", "error": push_error(postponed)})
        except asyncio.TimeoutError:
            message = f"the push was not done {PUSH_TIMEOUT} after its start"
            error = PushError(code=ErrorCode.STEP_TIMEOUT.value, message=message, recoverable=True)
            return envelope.model_copy(update={"status": "failed", "error": error})

    def _time_left(self) -> float:
        started: datetime = self.push.started_at or self.services.clock()
        return (started + PUSH_TIMEOUT - self.services.clock()).total_seconds()

    async def _failed(self, step: Step, error: PushError) -> None:
        log.warning(
            "step %s of %s (%s) failed: %s %s",
            step.name,
            self.push.workflow_id,
            self.push.role_id,
            error.code,
            error.message,
        )
        if step.required:
            self.error = error
        else:
            self.degraded = True
        if not await self._only_tries():
            await self.reporter.failed(
                self.push.role_id, [asset for asset in step.assets if asset not in self.made]
            )

    async def _finish(self) -> Push:
        outcome = WorkflowState.READY
        if self.error is not None:
            outcome = WorkflowState.FAILED
        elif self.degraded:
            outcome = WorkflowState.DEGRADED
        role = None if await self._only_tries() else await self._settle(outcome)
        push = self.push
        finished = await self.services.queue.finish(
            push.workflow_id,
            self.claim.token,
            Finish(
                status=outcome,
                steps=tuple(self.progress),
                error=self.error,
                ai_automation_score=self.context.outputs.get("ai_automation_score"),
                completed_at=self.services.clock(),
            ),
        )
        log.info("ended %s after %d attempts", outcome.value, finished.attempts)
        if role and not role.inputs_hold:
            # They changed meanwhile. Only the mark is at stake: whoever looks compares anew.
            with contextlib.suppress(StoreUnavailable):
                await mark_stale(self.services, [role.role_id])
        return finished

    async def _settle(self, outcome: WorkflowState) -> Role:
        graph, push = self.services.graph, self.push
        if outcome is WorkflowState.FAILED:
            # A role whose node could not be made has no state to settle, yet its push has an end.
            await graph.put_role(push.company_id, push.role_name, token=self.claim.token)
        return await graph.settle_role(
            push.role_id,
            RoleStatus(outcome.value),
            workflow_id=push.workflow_id,
            token=self.claim.token,
        )

    async def _only_tries(self) -> bool:
        """Whether the role is left as it is: a mock says nothing of a paid assessment."""
        if not self.push.use_mock:
            return False
        role = await self.services.graph.role(self.push.role_id)
        return is_mock_beside_paid(self.services, role, use_mock=True)

    async def _report(self, event: Materialization) -> None:
        # A step that is tried again reports again; Dagster needs to hear of each asset once.
        if event.asset not in self.made:
            await self.reporter.materialized(event)
            self.made.add(event.asset)

    async def _report_rest(self, step: Step, outputs: Mapping[str, Any]) -> None:
        """A step that is done has made its assets, also those that it says nothing more of."""
        rest = [asset for asset in step.assets if asset not in self.made]
        if not rest or await self._only_tries():
            return
        assessor = self.services.assessors.for_push(self.push.use_mock).info
        for asset in rest:
            await self._report(completed(step, asset, self.push, outputs, assessor))

    def _skips(self, step: Step) -> bool:
        return not step.required and self.push.options.skip_enhancement_workflows

    def _set(self, index: int, **changes: object) -> None:
        self.progress[index] = self.progress[index].model_copy(update=changes)
