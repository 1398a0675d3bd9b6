"""Assessments: ids and hashes follow from what was assessed by whom; scores keep their bounds."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from etter_dagster.model.assessment import (
    AssessedTask,
    AssessmentInputs,
    AssessmentOutputs,
    AssessorInfo,
    Scores,
    assessment_id,
)
from etter_dagster_tests.model.records import ASSESSOR, INPUTS

PUSH = "role-onboard-0123456789ab"


def scores(value: float = 40.0, validated: float | None = None) -> Scores:
    return Scores(
        ai_automation_score=value,
        ai_automation_potential_score=value,
        ai_augmentation_potential_score=0,
        validated_ai_automation_score=validated,
    )


@pytest.mark.parametrize(
    ("validated", "final"), [(None, 40.0), (0.0, 0.0), (55.5, 55.5), (100.0, 100.0)]
)
def test_the_final_score_is_the_validated_one_where_there_is_one(
    validated: float | None, final: float
) -> None:
    """0.0 is a score: a plain `or` would show 40 for a role that was validated to 0."""
    assert scores(validated=validated).final_score == final
    assert AssessmentOutputs(scores=scores(validated=validated)).final_score == final


@pytest.mark.parametrize("name", list(Scores.model_fields))
@pytest.mark.parametrize("value", [-0.1, 100.1, float("nan"), float("inf"), "high"])
def test_a_score_outside_0_to_100_is_refused(name: str, value: object) -> None:
    """A service that answers so is broken; the number must not reach a dashboard."""
    with pytest.raises(ValidationError, match=name):
        Scores.model_validate(scores().model_dump() | {name: value})


@pytest.mark.parametrize("name", [n for n in Scores.model_fields if not n.startswith("validated")])
def test_a_missing_score_is_refused_only_the_validated_one_may_be_absent(name: str) -> None:
    given_ = scores().model_dump(exclude={name, "validated_ai_automation_score"})
    with pytest.raises(ValidationError, match=name):
        Scores.model_validate(given_)


@pytest.mark.parametrize("value", [-1, 101, float("nan")])
def test_a_tasks_score_is_0_to_100_too(value: float) -> None:
    with pytest.raises(ValidationError, match="score"):
        AssessedTask(task="t", score=value)


FIELDS = st.text(max_size=8)
ALL_INPUTS = st.builds(
    AssessmentInputs,
    role_id=FIELDS,
    jd_hash=FIELDS,
    documents_hash=FIELDS,
    draup_role=FIELDS,
)


@given(ALL_INPUTS, ALL_INPUTS)
def test_two_inputs_have_one_hash_exactly_when_they_are_equal(
    inputs: AssessmentInputs, other: AssessmentInputs
) -> None:
    assert (inputs.inputs_hash == other.inputs_hash) == (inputs == other)


@pytest.mark.parametrize("name", list(AssessmentInputs.model_fields))
def test_each_input_counts(name: str) -> None:
    """A field that the hash forgot would let a stale assessment pass for a finished one."""
    changed = INPUTS.model_copy(update={name: "another"})
    assert changed.inputs_hash != INPUTS.inputs_hash


def test_inputs_hashes_stay_what_they_were() -> None:
    """They are stored: another form would make every assessment stale and pay for all anew."""
    text = (
        '{"documents_hash": "", "draup_role": "Data Analyst", "jd_hash": "jd-1", '
        '"role_id": "cr-acme-analyst-0123456789ab"}'
    )
    assert INPUTS.inputs_hash == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("spelt", [" Data  Analyst", "Data\u00a0Analyst\n", "Data\tAnalyst"])
def test_a_mapping_that_is_only_spelt_otherwise_is_no_change(spelt: str) -> None:
    """Taxonomies are typed by people; a second space must not cost an assessment."""
    again = AssessmentInputs.model_validate(INPUTS.model_dump() | {"draup_role": spelt})
    assert again == INPUTS
    assert again.inputs_hash == INPUTS.inputs_hash


@given(FIELDS, FIELDS, FIELDS)
def test_an_assessor_is_another_as_soon_as_one_part_is(name: str, model: str, version: str) -> None:
    base = AssessorInfo(name=name, model=model, version=version)
    for part in AssessorInfo.model_fields:
        changed = base.model_copy(update={part: getattr(base, part) + "x"})
        assert changed.key != base.key


def test_repeating_a_pushs_work_gives_the_same_assessment_id() -> None:
    """A worker that died after the write must not leave two assessments behind."""
    again = AssessorInfo.model_validate(ASSESSOR.model_dump())
    made = assessment_id(PUSH, INPUTS.inputs_hash, ASSESSOR)
    assert made == assessment_id(PUSH, INPUTS.inputs_hash, again)
    assert made.startswith("as-")
    assert len(made) == 27


@pytest.mark.parametrize(
    ("push", "inputs_hash", "assessor"),
    [
        ("role-onboard-0123456789ac", INPUTS.inputs_hash, ASSESSOR),
        (PUSH, "0" * 64, ASSESSOR),
        (PUSH, INPUTS.inputs_hash, ASSESSOR.model_copy(update={"name": "llm"})),
        (PUSH, INPUTS.inputs_hash, ASSESSOR.model_copy(update={"model": "trees"})),
        (PUSH, INPUTS.inputs_hash, ASSESSOR.model_copy(update={"version": "2"})),
    ],
)
def test_another_push_inputs_or_assessor_gives_another_assessment_id(
    push: str, inputs_hash: str, assessor: AssessorInfo
) -> None:
    """`force_rerun` of the same inputs is a new push, so history keeps both."""
    assert assessment_id(push, inputs_hash, assessor) != assessment_id(
        PUSH, INPUTS.inputs_hash, ASSESSOR
    )


def test_the_raw_answer_of_a_service_stays_out_of_the_repr() -> None:
    """It has 25 kB, and the texts of customers, that must not be in a log line."""
    assert "customer" not in repr(AssessmentOutputs(scores=scores(), raw={"k": "customer"}))


def test_a_cost_is_never_negative() -> None:
    with pytest.raises(ValidationError, match="cost"):
        AssessmentOutputs(scores=scores(), cost=-1)
