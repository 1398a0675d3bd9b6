"""What a claimed push goes through, and how it ends."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest

from etter_dagster.assessors.protocol import AssessmentFailed, AssessmentRequest
from etter_dagster.model.assessment import AssessmentOutputs
from etter_dagster.model.errors import LeaseLost, StoreUnavailable, TransientError
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.push import WorkflowOptions
from etter_dagster.onboarding.accept import accept, accept_many
from etter_dagster.onboarding.roles import assessment_view, define_role, role_view
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.serving import serve
from etter_dagster.onboarding.status import status_of
from etter_dagster.onboarding.steps import Step, StepContext, StepResult
from etter_dagster.onboarding.walk import walk
from etter_dagster_tests.support import Recorder, ScriptedAssessor, forced, order, work_off


class Optional(Step):
    """An optional step that does what its script says."""

    name = "extra"
    sub_state = "extra"
    assets = ("extra_asset",)

    def __init__(
        self, error: Exception | None = None, outputs: dict[str, Any] | None = None
    ) -> None:
        self.error = error
        self.outputs = outputs or {}
        self.attempts = 2

    async def run(self, context: StepContext) -> StepResult:
        if self.error:
            raise self.error
        return StepResult(outputs=self.outputs)


def _without_pauses(services: Services, **changes: Any) -> Services:
    settings = services.settings.model_copy(update={"retry_backoff_seconds": 0.001})
    return replace(services, settings=settings, **changes)


async def test_a_pushed_role_gets_ready_through_all_its_steps(services: Services) -> None:
    reporter = Recorder()
    pushed = await accept(services, order())
    await work_off(services, reporter)
    view = await status_of(services, pushed.workflow_id)
    assert (view.status, view.role_state) == (WorkflowState.READY, RoleStatus.READY)
    assert [(s.name, s.status.value) for s in view.progress.steps] == [
        ("role_setup", "completed"),
        ("ai_assessment", "completed"),
        ("skills", "completed"),
    ]
    assert (view.progress.current, view.progress.total, view.attempts) == (3, 3, 1)
    assert view.dashboard_url
    assert view.estimated_duration_seconds == 0
    assert [m.asset for m in reporter.made] == [
        "company_role", "job_description", "ai_assessment", "skills_profile",
    ]  # fmt: skip
    assessment = await assessment_view(services, pushed.role_id)
    assert (assessment.scores.final_score, assessment.stale) == (40.0, False)
    skills = {s.name for s in await services.graph.skills(pushed.role_id)}
    assert skills == {"Report writing", "Spreadsheets"}


async def test_a_step_that_is_done_has_made_its_assets_without_reporting_them(
    services: Services,
) -> None:
    """Whoever writes a step knows its outputs, not our reporter: else its asset stays missing."""
    outputs = {"pay": 50_000, "bands": ["A", "B"], "currency": "EUR"}
    reporter = Recorder()
    extra = replace(services, steps=(*services.steps, Optional(outputs=outputs)))
    pushed = await accept(extra, order())
    await work_off(extra, reporter)
    made = reporter.made[-1]
    assert (made.asset, made.role_id, made.code_version) == ("extra_asset", pushed.role_id, "1")
    assert made.metadata == {
        "company": "Acme", "role": "Analyst", "pay": 50_000, "currency": "EUR",
    }  # fmt: skip
    await accept(extra, order(options=forced()))
    await work_off(extra, reporter)
    assert reporter.made[-1].data_version == made.data_version


async def test_no_text_of_a_document_is_reported(services: Services) -> None:
    reporter = Recorder()
    await accept(services, order())
    await work_off(services, reporter)
    shown = repr([m.metadata for m in reporter.made if m.asset == "job_description"])
    assert "weekly reports" not in shown


async def test_a_permanent_failure_is_tried_once_and_fails_the_role(
    services: Services, assessor: ScriptedAssessor
) -> None:
    assessor.script = [AssessmentFailed("the document is no job description")]
    reporter = Recorder()
    pushed = await accept(services, order())
    result = await work_off(services, reporter)
    view = await status_of(services, pushed.workflow_id)
    assert (view.status, view.role_state) == (WorkflowState.FAILED, RoleStatus.FAILED)
    assert view.error is not None
    assert view.error.message == "the document is no job description"
    assert [s.status.value for s in view.progress.steps] == ["completed", "failed", "skipped"]
    assert reporter.not_made == [(pushed.role_id, ("ai_assessment",))]
    assert result.failed == {pushed.role_id: "the document is no job description"}
    assert assessor.calls["Analyst"] == 1


async def test_a_passing_failure_is_tried_again_up_to_five_times(
    services: Services, assessor: ScriptedAssessor
) -> None:
    quick = _without_pauses(services)
    assessor.script = [TransientError("503") for _ in range(4)]
    pushed = await accept(quick, order("A"))
    await work_off(quick)
    assert (await status_of(quick, pushed.workflow_id)).status is WorkflowState.READY
    assessor.script = [TransientError("503") for _ in range(9)]
    failed = await accept(quick, order("B"))
    await work_off(quick)
    view = await status_of(quick, failed.workflow_id)
    assert view.status is WorkflowState.FAILED
    assert view.error is not None
    assert view.error.recoverable
    assert (assessor.calls["A"], assessor.calls["B"]) == (5, 5)


async def test_a_bug_in_an_assessor_fails_that_role_alone_and_shows_no_text_of_it(
    services: Services, assessor: ScriptedAssessor
) -> None:
    assessor.script = [RuntimeError("password=hunter2")]
    answers = await accept_many(services, [order("A"), order("B")])
    await work_off(services)
    views = [await status_of(services, a.workflow_id) for a in answers]  # type: ignore[union-attr]
    assert sorted(v.status.value for v in views) == ["failed", "ready"]
    assert "hunter2" not in repr(views)


async def test_the_log_has_the_details_of_a_bug_in_a_step(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    """The status sends people there: it shows the type alone."""
    extended = replace(services, steps=(*services.steps, Optional(ZeroDivisionError("by nought"))))
    pushed = await accept(extended, order())
    with caplog.at_level(logging.ERROR):
        await work_off(extended)
    failed = (await status_of(extended, pushed.workflow_id)).progress.steps[-1]
    assert failed.error_message == "a bug: ZeroDivisionError; the service's log has the details"
    assert "by nought" in caplog.text
    assert pushed.workflow_id in caplog.text


async def test_an_optional_step_that_fails_degrades_the_role(services: Services) -> None:
    broken = Optional(ValueError("x"))
    extended = replace(services, steps=(*services.steps, broken))
    reporter = Recorder()
    pushed = await accept(extended, order())
    await work_off(extended, reporter)
    view = await status_of(extended, pushed.workflow_id)
    assert (view.status, view.role_state) == (WorkflowState.DEGRADED, RoleStatus.DEGRADED)
    assert view.dashboard_url
    assert reporter.not_made == [(pushed.role_id, ("extra_asset",))]


async def test_optional_steps_can_be_skipped(services: Services) -> None:
    options = WorkflowOptions(skip_enhancement_workflows=True)
    pushed = await accept(services, order(options=options))
    await work_off(services)
    view = await status_of(services, pushed.workflow_id)
    assert view.status is WorkflowState.READY
    assert view.progress.steps[-1].status.value == "skipped"


async def test_a_step_that_takes_too_long_fails_with_its_bound(services: Services) -> None:
    class Slow(Optional):
        timeout_seconds = 0.05

        async def run(self, context: StepContext) -> StepResult:
            await asyncio.sleep(60)
            return StepResult()

    extended = replace(services, steps=(*services.steps, Slow()))
    pushed = await accept(extended, order())
    await work_off(extended)
    step = (await status_of(extended, pushed.workflow_id)).progress.steps[-1]
    assert step.status.value == "failed"
    assert step.error_message == "took longer than 0.05 s"


async def test_a_failed_role_keeps_what_was_built(
    services: Services, assessor: ScriptedAssessor
) -> None:
    first = await accept(services, order())
    await work_off(services)
    assessor.script = [AssessmentFailed("no")]
    await accept(services, order(options=forced()))
    await work_off(services)
    view = await role_view(services, first.role_id)
    assert (view.state, view.ai_automation_score) == (RoleStatus.FAILED, 40.0)
    assert (await assessment_view(services, first.role_id)).scores.final_score == 40.0


async def test_a_worker_that_wakes_up_after_its_lease_was_taken_writes_nothing(
    services: Services,
) -> None:
    """The classic: paused for longer than its lease, then goes on as if nothing had happened."""
    await accept(services, order())
    limits = services.limits
    old = (await services.queue.claim("old", 1, limits=limits, lease_seconds=0.0))[0]
    new = (await services.queue.claim("new", 1, limits=limits, lease_seconds=60.0))[0]
    await walk(services, new, Recorder())
    with pytest.raises(LeaseLost):
        await walk(services, old, Recorder())
    assert len(await services.graph.assessments(old.push.role_id)) == 1


async def test_work_that_was_done_before_a_crash_is_not_done_again(
    services: Services, assessor: ScriptedAssessor
) -> None:
    """Killed between the assessment and the end, also of a forced push: nothing is paid twice."""

    class Crash(Recorder):
        async def materialized(self, event) -> None:  # type: ignore[no-untyped-def]
            if event.asset == "ai_assessment":
                raise StoreUnavailable("graph")

    for options in (WorkflowOptions(), forced()):
        assessor.calls.clear()
        pushed = await accept(services, order(options=options))
        claim = (await services.queue.claim("dies", 1, limits=services.limits, lease_seconds=0.0))[
            0
        ]
        with pytest.raises(StoreUnavailable):
            await walk(services, claim, Crash())
        await work_off(services)
        view = await status_of(services, pushed.workflow_id)
        assert (view.status, view.attempts) == (WorkflowState.READY, 2)
        assert assessor.calls["Analyst"] == 1


async def test_a_cancelled_server_gives_its_leases_back(
    services: Services, assessor: ScriptedAssessor
) -> None:
    assessor.delay = 60
    pushed = await accept(services, order())
    serving = asyncio.create_task(
        serve(
            services,
            worker="w",
            reporter=Recorder(),
            places=5,
            linger_seconds=60,
            claim_seconds=60,
        )
    )
    while not assessor.calls:
        await asyncio.sleep(0.01)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    view = await status_of(services, pushed.workflow_id)
    assert (view.status, view.attempts) == (WorkflowState.QUEUED, 0)


async def test_a_stopped_server_finishes_what_it_holds_and_claims_no_more(
    services: Services, assessor: ScriptedAssessor
) -> None:
    stop = asyncio.Event()
    assessor.on_call = lambda request: stop.set()
    assessor.delay = 0.05
    answers = await accept_many(services, [order("A"), order("B")])
    await serve(
        services,
        worker="w",
        reporter=Recorder(),
        places=1,
        linger_seconds=60,
        claim_seconds=60,
        stop=stop,
    )
    views = [await status_of(services, a.workflow_id) for a in answers]  # type: ignore[union-attr]
    assert [v.status.value for v in views] == ["ready", "queued"]


async def test_a_push_to_a_serving_run_starts_at_once_and_all_places_are_used(
    services: Services, assessor: ScriptedAssessor
) -> None:
    assessor.delay = 0.05
    serving = asyncio.create_task(
        serve(
            services,
            worker="w",
            reporter=Recorder(),
            places=20,
            linger_seconds=1.0,
            claim_seconds=60,
        )
    )
    await asyncio.sleep(0.1)
    await accept_many(services, [order(f"R{n}") for n in range(60)])
    result = await serving
    assert result.done == 60
    assert sum(assessor.calls.values()) == 60


async def test_a_role_that_changes_while_it_is_assessed_is_marked_stale(
    services: Services, assessor: ScriptedAssessor
) -> None:
    """It showed as stale and was not marked so, and Dagster is told of marked ones only."""
    assess = assessor.assess

    async def change_and_assess(request: AssessmentRequest) -> AssessmentOutputs:
        await define_role(services, "Acme", "Analyst", draup_role_name="Business Analyst")
        return await assess(request)

    assessor.assess = change_and_assess  # type: ignore[method-assign]
    pushed = await accept(services, order())
    await work_off(services)
    view = await status_of(services, pushed.workflow_id)
    assert (view.status, view.role_state) == (WorkflowState.READY, RoleStatus.STALE)
    role = await services.graph.role(pushed.role_id)
    assert role is not None
    assert role.state is RoleStatus.STALE
    assert [mark.required for mark in role.stale_marks] == ["Business Analyst"]
