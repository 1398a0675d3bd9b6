"""What changed between two assessments of a role, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from etter_dagster.model.assessment import AssessedTask, Assessment, AssessorInfo, Scores
from etter_dagster.model.comparison import compare, match_tasks
from etter_dagster_tests.model.records import ASSESSOR, INPUTS, NOW


def task(text: str, score: float = 50, exposure: str = "E1") -> AssessedTask:
    return AssessedTask(task=text, score=score, exposure=exposure)


def made(*tasks: AssessedTask, score: float = 40, **changes: Any) -> Assessment:
    inputs = changes.pop("inputs", INPUTS)
    given = {
        "assessment_id": f"as-{score}",
        "role_id": INPUTS.role_id,
        "workflow_id": "role-onboard-000000000001",
        "assessor": ASSESSOR,
        "inputs": inputs,
        "inputs_hash": inputs.inputs_hash,
        "scores": Scores(
            ai_automation_score=score,
            ai_automation_potential_score=score,
            ai_augmentation_potential_score=0,
        ),
        "tasks": tasks,
        "created_at": NOW,
    }
    return Assessment.model_validate({**given, **changes})


def test_tasks_that_came_went_changed_and_stayed_are_told_apart() -> None:
    before = made(
        task("Prepare weekly sales reports for managers"),
        task("Greet visitors at the front desk", 0, "E0"),
        task("Review data for errors and correct them"),
    )
    after = made(
        task("Review data for errors and correct them."),
        task("Prepare the weekly sales reports for all managers", 70, "E2"),
        task("Order stationery from suppliers", 20),
        score=44.5,
    )
    found = compare(before, after, max_age_days=30)
    assert [one.task for one in found.tasks.added] == ["Order stationery from suppliers"]
    assert [one.task for one in found.tasks.removed] == ["Greet visitors at the front desk"]
    assert [(one.changed, one.score_change) for one in found.tasks.changed] == [
        (("task",), 0),
        (("task", "exposure", "score"), 20),
    ]
    assert found.tasks.unchanged == 0
    assert [row.change for row in found.rows()] == [
        "added",
        "removed",
        "reworded",
        "reworded, E1 to E2",
    ]


def test_the_summary_says_how_much_and_why() -> None:
    after = made(score=44.5, inputs=INPUTS.model_copy(update={"jd_hash": "jd-2"}))
    found = compare(made(task("A b")), after, max_age_days=30)
    assert found.summary == (
        "Score from 40.0 to 44.5 (+4.5). Tasks: 1 removed. Why: the job description changed."
    )
    assert found.scores[0].change == 4.5


def test_every_cause_is_named() -> None:
    later = made(
        inputs=INPUTS.model_copy(update={"jd_hash": "2", "draup_role": "Clerk"}),
        assessor=AssessorInfo(name="llm", model="m", version="1"),
        created_at=NOW + timedelta(days=31),
    )
    causes = compare(made(), later, max_age_days=30).causes
    assert [cause.field for cause in causes] == ["jd_hash", "draup_role", "assessor", "age"]
    assert causes[2].message == "the assessor changed from exposure to llm"


def test_the_same_inputs_and_assessor_mean_that_it_was_asked_for_anew() -> None:
    (cause,) = compare(made(), made(), max_age_days=30).causes
    assert cause.field == "rerun"


def test_a_validated_score_on_one_side_only_has_no_change() -> None:
    scores = Scores(
        ai_automation_score=40,
        ai_automation_potential_score=40,
        ai_augmentation_potential_score=0,
        validated_ai_automation_score=0.0,
    )
    found = {s.name: s for s in compare(made(), made(scores=scores), max_age_days=9).scores}
    assert found["validated_ai_automation_score"].change is None
    assert found["final_score"].after == 0.0


TASKS = st.lists(
    st.builds(
        task,
        st.sampled_from(
            ["prepare reports", "check invoices", "check the invoices", "日本語の仕事", "?"]
        ),
        st.sampled_from([0.0, 50.0]),
    ),
    max_size=8,
)


@given(TASKS, TASKS)
def test_every_task_is_counted_exactly_once(
    before: list[AssessedTask], after: list[AssessedTask]
) -> None:
    found = match_tasks(before, after)
    both = len(found.changed) + found.unchanged
    assert len(found.removed) + both == len(before)
    assert len(found.added) + both == len(after)


@given(TASKS)
def test_a_list_of_tasks_has_not_changed_from_itself(tasks: list[AssessedTask]) -> None:
    tasks = [one for one in tasks if one.task != "?"]
    found = match_tasks(tasks, tasks)
    assert (found.added, found.removed) == ((), ())
    # Equal texts with two scores may be paired crosswise.
    if len({one.task for one in tasks}) == len(tasks):
        assert found.unchanged == len(tasks)


def test_the_longest_lists_are_matched_at_once() -> None:
    """200 tasks are the most that are read; pages compare them while somebody waits."""
    tasks = [
        task(f"Prepare report number {n} for department {n % 7} of the firm") for n in range(200)
    ]
    assert match_tasks(tasks, tasks).unchanged == 200
