"""Answers of the assessment service, read: every cell format, and every lie refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.assessors.workflow_api.reading import (
    SUMMARY_CHARACTERS,
    read_assessment,
    read_id,
)
from etter_dagster.assessors.workflow_api.table import tasks_of
from etter_dagster.model.errors import TransientError
from etter_dagster_tests.standin.answers import assessment_answer

JD = "# Baker\n\n- Mix dough\n- Bake bread\n- Clean the oven\n"


def answer(**top: Any) -> dict[str, Any]:
    made = assessment_answer(request_id="req-1", company="A", role="Baker", jd=JD, seconds=1.0)
    return {**made, **top}


def quantified(made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = made["assessment_data"]["step_results"]["ai_impact_quantification"]
    return found


def read(made: dict[str, Any], jd: str = JD) -> Any:
    return read_assessment(json.dumps(made), jd)


def test_scores_tasks_and_provenance_are_read() -> None:
    made = answer()
    outputs = read(made)
    numbers = quantified(made)
    assert outputs.scores.ai_automation_score == numbers["ai_automation_score"]
    assert outputs.final_score == numbers["validated_ai_automation_score"]
    assert sorted(task.task for task in outputs.tasks) == [
        "Bake bread",
        "Clean the oven",
        "Mix dough",
    ]
    assert {task.workload for task in outputs.tasks} == {"Workload 1"}
    assert outputs.provenance["request_id"] == "req-1"
    assert outputs.provenance["jd_matches"] is True
    assert 0 < len(outputs.summary) <= SUMMARY_CHARACTERS + 4


def test_a_validated_score_of_zero_counts() -> None:
    made = answer()
    quantified(made)["validated_ai_automation_score"] = 0.0
    assert read(made).final_score == 0.0


def test_without_a_validated_score_the_plain_one_is_final() -> None:
    made = answer()
    quantified(made).pop("validated_ai_automation_score")
    made["assessment_data"]["final_output"].pop("validated_ai_automation_score")
    assert read(made).final_score == made["ai_automation_score"]


@pytest.mark.parametrize("value", [None, -0.1, 100.1, float("nan"), 10**400, "55", True, [], {}])
@pytest.mark.parametrize("where", ["top", "part", "validated"])
def test_a_score_missing_or_out_of_bounds_is_refused_for_good(value: object, where: str) -> None:
    """A lie of the service must not become a role's score; asking again does not help."""
    made = answer()
    if where == "top":
        made["ai_automation_score"] = value
    elif where == "part":
        quantified(made)["ai_automation_potential_score"] = value
    elif value is None:
        return  # there need not be one
    else:
        quantified(made)["validated_ai_automation_score"] = value
    with pytest.raises(AssessmentFailed, match="score"):
        read(made)


def test_an_error_under_200_is_refused_for_good_with_what_it_says() -> None:
    with pytest.raises(AssessmentFailed, match="says: no such role"):
        read(answer(status="error", message="no such role"))


@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", "null", "3", '{"a": ', "[" * 100_000, "\ufffd"]
)
def test_what_is_no_json_object_may_pass(body: str) -> None:
    with pytest.raises(TransientError):
        read_assessment(body, JD)


@pytest.mark.parametrize("data", [None, [], "x", {"step_results": []}, {"final_output": 3}])
def test_an_answer_without_its_parts_is_an_error_and_no_bug(data: object) -> None:
    with pytest.raises(AssessmentFailed):
        read(answer(assessment_data=data))


def test_an_assessment_of_another_text_says_so() -> None:
    """The service has a cache of its own; who reads the role's page must know."""
    outputs = read(answer(), jd="another text")
    assert outputs.provenance["jd_matches"] is False
    assert outputs.summary.startswith("The service assessed another text")


def test_white_space_is_no_mismatch() -> None:
    assert read(answer(), jd=JD.replace("\n\n", "\n \n")).provenance["jd_matches"] is True


def test_what_no_store_takes_is_taken_out() -> None:
    """JSON can spell NUL and lone surrogates; databases refuse them."""
    made = answer()
    rows = [{"Workload": "W\ud800", "Directive": "Do\x00 it"}]
    made["assessment_data"]["step_results"]["ai_impact_assessment"] = {"table": rows}
    task = read(made).tasks[0]
    assert (task.task, task.workload) == ("Do it", "W?")


ROWS = [
    {
        "Workload": "Claims",
        "Directive": "Register claims; Assign claims",
        "Feedback Loop (AI)": "",
        "task_iteration": "- Draft letters\n- Review drafts",
        "Validation": ["Check payments", "n/a"],
        "Negligibility": "Visit sites",
    }
]


@pytest.mark.parametrize(
    "table",
    [ROWS, {"status": "success", "table": ROWS}, {"steps": ["x"], "result": {"rows": ROWS}}],
)
def test_cells_may_hold_several_tasks(table: object) -> None:
    found = [(task.task, task.category, task.score) for task in tasks_of(table)]
    assert found == [
        ("Register claims", "Directive", 100),
        ("Assign claims", "Directive", 100),
        ("Draft letters", "Task Iteration", 50),
        ("Review drafts", "Task Iteration", 50),
        ("Check payments", "Validation", 50),
        ("Visit sites", "Negligibility", 0),
    ]


def test_a_markdown_table_is_read_too() -> None:
    text = (
        "| Workload | Directive | Learning |\n| --- | :-: | --- |\n"
        "| Claims | Register; Assign | - |\n| Audit | | Explain |\n"
    )
    assert [(t.workload, t.task, t.category) for t in tasks_of(text)] == [
        ("Claims", "Register", "Directive"),
        ("Claims", "Assign", "Directive"),
        ("Audit", "Explain", "Learning"),
    ]


@pytest.mark.parametrize("table", [None, 3, "", "no table", [1], [{}], {"a": [{"b": "c"}]}])
def test_where_there_is_no_table_there_are_no_tasks(table: object) -> None:
    assert tasks_of(table) == ()


def test_an_id_may_be_a_number_and_must_be_there() -> None:
    assert read_id('{"company_role_id": 7}', "company_role_id", "x") == "7"
    with pytest.raises(AssessmentFailed):
        read_id("{}", "company_role_id", "x")
