"""Pushes: who asks decides the lane, progress counts what is completed, records survive JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from etter_dagster.model.claim_order import Lane
from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import (
    LANE_OF,
    ProgressInfo,
    Push,
    PushError,
    PushRequest,
    Source,
    StepRecord,
    StepStatus,
    WorkflowOptions,
)
from etter_dagster_tests.model.records import NOW

STEPS = st.lists(
    st.builds(StepRecord, name=st.sampled_from("abc"), status=st.sampled_from(list(StepStatus))),
    max_size=6,
)


def push(**changes: object) -> Push:
    given_: dict[str, object] = {
        "workflow_id": "role-onboard-0123456789ab",
        "role_id": "cr-acme-analyst-0123456789ab",
        "company_id": "Acme",
        "role_name": "Analyst",
        "source": Source.REST,
        "lane": Lane.INTERACTIVE,
        "queued_at": NOW,
    }
    return Push.model_validate(given_ | changes)


@pytest.mark.parametrize(
    ("source", "lane"),
    [
        ("rest", "interactive"),
        ("batch", "bulk"),
        ("cli", "interactive"),
        ("page", "interactive"),
        ("graphql", "interactive"),
        ("dagster", "interactive"),
        ("taxonomy", "bulk"),
        ("document", "background"),
        ("nightly", "background"),
        ("library", "interactive"),
    ],
)
def test_who_asks_decides_where_a_push_waits(source: str, lane: str) -> None:
    """A person goes before a batch, a batch before Etter's own re-assessment."""
    assert LANE_OF.get(Source(source), Lane.INTERACTIVE).value == lane


def test_the_sources_are_those_that_the_history_names() -> None:
    people = {"rest", "cli", "page", "graphql", "dagster", "library"}
    assert {source.value for source in Source} == people | {
        "batch",
        "taxonomy",
        "document",
        "nightly",
    }


@given(STEPS)
def test_progress_counts_completed_steps_only(steps: list[StepRecord]) -> None:
    """A failed or skipped step is not done: 3 of 3 would say that all went well."""
    progress = ProgressInfo.of(steps)
    completed = [step for step in steps if step.status.value == "completed"]
    assert (progress.current, progress.total) == (len(completed), len(steps))
    assert list(progress.steps) == steps


DONE = StepRecord(name="role_setup", status=StepStatus.COMPLETED, duration_ms=3)
LEFT_RUNNING = (
    DONE,
    StepRecord(name="ai_assessment", status=StepStatus.RUNNING, started_at=NOW),
    StepRecord(name="skills"),
)


def test_a_pushs_progress_is_that_of_its_steps() -> None:
    at_work = {"status": WorkflowState.PROCESSING, "current_step": "ai_assessment"}
    progress = push(steps=LEFT_RUNNING, **at_work).progress
    assert (progress.current, progress.steps) == (1, LEFT_RUNNING)
    assert push().progress == ProgressInfo(current=0, total=0, steps=())


@pytest.mark.parametrize("status", [WorkflowState.QUEUED, WorkflowState.PROCESSING])
def test_what_a_lost_worker_was_at_is_begun_anew(status: WorkflowState) -> None:
    """Nothing runs while a push waits again, and whoever takes it begins with the first step."""
    progress = push(steps=LEFT_RUNNING, status=status, started_at=NOW, attempts=1).progress
    assert progress.current == 0
    assert {step.status for step in progress.steps} == {StepStatus.PENDING}
    assert [step.started_at for step in progress.steps] == [None] * 3


def test_a_push_that_was_given_up_has_no_step_that_still_runs() -> None:
    """Its last worker was lost: nobody wrote down how the step ended."""
    error = PushError(code="ATTEMPTS_EXHAUSTED", message="3 workers were lost", recoverable=True)
    ended = push(
        steps=LEFT_RUNNING, status=WorkflowState.FAILED, error=error, completed_at=NOW
    ).progress
    assert [step.status.value for step in ended.steps] == ["completed", "failed", "skipped"]
    assert ended.steps[1].error_message == "3 workers were lost"
    assert ended.steps[1].completed_at == NOW


def test_a_new_push_is_queued_and_has_no_attempt() -> None:
    new = push()
    assert (new.status, new.attempts, new.version) == (WorkflowState.QUEUED, 0, 0)
    assert (new.current_step, new.started_at, new.completed_at, new.error) == (None,) * 4


@pytest.mark.parametrize(
    "record",
    [
        push(),
        push(
            status=WorkflowState.FAILED,
            steps=(StepRecord(name="a", status=StepStatus.FAILED, started_at=NOW),),
            error=PushError(code="STEP_FAILED", message="ключ", recoverable=True),
            completed_at=NOW,
            ai_automation_score=0.0,
        ),
        PushRequest(
            company_id="Müller & Söhne",
            role_name='R/D "x"',
            role_id="cr-x-x-0123456789ab",
            documents=(DocumentRef(content="text", metadata={"pages": [1, 2]}),),
            options=WorkflowOptions(force_rerun=True),
        ),
    ],
)
def test_a_record_comes_back_from_json_as_it_was(record: Push | PushRequest) -> None:
    """Stores keep records as JSON; what is lost there is lost for ever."""
    assert type(record).model_validate_json(record.model_dump_json()) == record


def test_options_have_the_defaults_of_the_contract_and_no_others() -> None:
    assert WorkflowOptions().model_dump() == {
        "skip_enhancement_workflows": False,
        "force_rerun": False,
        "notify_on_complete": True,
    }
    with pytest.raises(ValidationError, match="force"):
        WorkflowOptions.model_validate({"force": True})


def test_a_push_is_changed_by_its_store_only() -> None:
    """A changed copy in one process must never pass for the stored record."""
    with pytest.raises(ValidationError, match="frozen"):
        push().status = WorkflowState.READY  # type: ignore[misc]
