"""Staleness: each reason alone with both values, all together, and what is no reason."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etter_dagster.model.assessment import Assessment, AssessmentInputs, AssessorInfo, Scores
from etter_dagster.model.staleness import Basis, StaleReason, basis_of, stale_reasons
from etter_dagster_tests.model.records import ASSESSOR, INPUTS, NOW

MAX_AGE = 30.0


def reasons(
    inputs: AssessmentInputs = INPUTS,
    assessor: AssessorInfo = ASSESSOR,
    *,
    made_at: datetime = NOW,
    max_age_days: float = MAX_AGE,
) -> tuple[StaleReason, ...]:
    """What holds against an assessment of `INPUTS` by `ASSESSOR`."""
    stored = Basis(inputs=INPUTS, assessor=ASSESSOR, made_at=made_at)
    return stale_reasons(
        stored, inputs=inputs, assessor=assessor, now=NOW, max_age_days=max_age_days
    )


def test_an_assessment_of_the_present_inputs_is_not_stale() -> None:
    assert reasons() == ()


@pytest.mark.parametrize(
    ("field", "stored", "required"),
    [
        ("jd_hash", "jd-1", "jd-2"),
        ("documents_hash", "", "sop-1"),
        ("draup_role", "Data Analyst", "Business Analyst"),
    ],
)
def test_each_changed_input_is_a_reason_with_both_values(
    field: str, stored: str, required: str
) -> None:
    """People ask what changed, and from what to what."""
    (reason,) = reasons(INPUTS.model_copy(update={field: required}))
    assert (reason.field, reason.stored, reason.required) == (field, stored, required)
    assert reason.remedy


@pytest.mark.parametrize(
    ("change", "field", "stored"),
    [
        ({"name": "llm"}, "assessor", "exposure"),
        ({"model": "trees"}, "assessor_model", "ridge"),
        ({"version": "2"}, "assessor_version", "1"),
    ],
)
def test_each_change_of_the_assessor_is_a_reason_with_both_values(
    change: dict[str, str], field: str, stored: str
) -> None:
    (reason,) = reasons(assessor=ASSESSOR.model_copy(update=change))
    (required,) = change.values()
    assert (reason.field, reason.stored, reason.required) == (field, stored, required)


def test_another_assessor_is_one_reason_not_three() -> None:
    """Model and version of another assessor cannot be compared with those of this one."""
    other = AssessorInfo(name="llm", model="m", version="9")
    assert [reason.field for reason in reasons(assessor=other)] == ["assessor"]


@pytest.mark.parametrize(
    ("max_age_days", "age", "stale"),
    [
        (30, timedelta(days=30), False),
        (30, timedelta(days=30, microseconds=1), True),
        (0.5, timedelta(hours=12), False),
        (0.5, timedelta(hours=12, seconds=1), True),
        (36_500, timedelta(days=3650), False),
    ],
)
def test_an_assessment_may_be_as_old_as_the_setting_says_and_no_older(
    max_age_days: float, age: timedelta, stale: bool
) -> None:
    """Fractions of a day are allowed; the bound itself is still good."""
    assert bool(reasons(made_at=NOW - age, max_age_days=max_age_days)) == stale


def test_age_names_when_it_was_made_and_since_when_it_would_do() -> None:
    (reason,) = reasons(made_at=NOW - timedelta(days=31))
    assert reason.field == "age"
    assert reason.stored == "2025-12-31T12:00:00Z"
    assert reason.required == "after 2026-01-01T12:00:00Z"


def test_the_place_of_the_clock_does_not_matter() -> None:
    """Stores give back times with another offset than the one they were written with."""
    tokyo = timezone(timedelta(hours=9))
    made_at = NOW - timedelta(days=30)
    assert reasons(made_at=made_at.astimezone(tokyo)) == ()


def test_an_assessment_from_the_future_is_not_stale() -> None:
    """Clocks of two machines differ by seconds."""
    assert reasons(made_at=NOW + timedelta(minutes=1)) == ()


def test_every_reason_is_given_not_only_the_first() -> None:
    inputs = AssessmentInputs(role_id="r", jd_hash="2", documents_hash="2", draup_role="2")
    assessor = AssessorInfo(name="exposure", model="2", version="2")
    found = reasons(inputs, assessor, made_at=NOW - timedelta(days=99))
    assert [reason.field for reason in found] == [
        "jd_hash",
        "documents_hash",
        "draup_role",
        "assessor_model",
        "assessor_version",
        "age",
    ]


ONE_OF_TWO = st.sampled_from(["1", "2"])
BASES = st.builds(
    Basis,
    inputs=st.builds(
        AssessmentInputs,
        role_id=st.just("r"),
        jd_hash=ONE_OF_TWO,
        documents_hash=ONE_OF_TWO,
        draup_role=ONE_OF_TWO,
    ),
    assessor=st.builds(AssessorInfo, name=ONE_OF_TWO, model=ONE_OF_TWO, version=ONE_OF_TWO),
    made_at=st.just(NOW),
)


@given(BASES, BASES)
def test_there_is_a_reason_exactly_where_inputs_or_assessor_differ(
    stored: Basis, required: Basis
) -> None:
    """ "Ready, nothing to do" is decided by hash and key elsewhere: the two must never disagree."""
    found = stale_reasons(
        stored,
        inputs=required.inputs,
        assessor=required.assessor,
        now=NOW,
        max_age_days=MAX_AGE,
    )
    same_inputs = stored.inputs.inputs_hash == required.inputs.inputs_hash
    same_assessor = stored.assessor.key == required.assessor.key
    assert (found == ()) == (same_inputs and same_assessor)
    assert all(reason.stored != reason.required for reason in found)


def test_the_basis_of_an_assessment_is_what_it_was_made_from() -> None:
    assessment = Assessment(
        assessment_id="as-1",
        role_id=INPUTS.role_id,
        workflow_id="role-onboard-0123456789ab",
        assessor=ASSESSOR,
        inputs=INPUTS,
        inputs_hash=INPUTS.inputs_hash,
        scores=Scores(
            ai_automation_score=40,
            ai_automation_potential_score=30,
            ai_augmentation_potential_score=10,
        ),
        created_at=NOW,
    )
    assert basis_of(assessment) == Basis(inputs=INPUTS, assessor=ASSESSOR, made_at=NOW)
