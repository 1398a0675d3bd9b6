"""The plan of what is assessed again: order, budget, roll-out, and what is left out."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etter_dagster.model.assessment import AssessmentInputs, AssessorInfo
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.purse import Purse
from etter_dagster.model.reassessment import (
    StaleRole,
    Verdict,
    Why,
    make_plan,
    mean_cost,
    rollout_tonight,
    stale_role,
)
from etter_dagster.model.role import CurrentAssessment, Role
from etter_dagster.model.staleness import Basis, StaleReason, said_reason
from etter_dagster.model.taxonomy import TaxonomyEntry

NOW = datetime(2026, 1, 5, 2, 0, tzinfo=timezone.utc)
ASSESSOR = AssessorInfo(name="llm", model="m", version="2")


def role(
    *, jd: str = "a", days_old: float = 1, version: str = "2", name: str = "Analyst", **more: object
) -> Role:
    """A role assessed from the JD `a`; its JD now is `jd`."""
    rid = role_id("Acme", name)
    inputs = AssessmentInputs(role_id=rid, jd_hash="a", documents_hash="", draup_role="D")
    made_by = ASSESSOR.model_copy(update={"version": version})
    basis = Basis(inputs=inputs, assessor=made_by, made_at=NOW - timedelta(days=days_old))
    return Role.model_validate(
        {
            "role_id": rid,
            "company_id": "Acme",
            "role_name": name,
            "state": RoleStatus.READY,
            "draup_role_name": "D",
            "jd_hash": jd,
            "current": CurrentAssessment(assessment_id="as", final_score=1, basis=basis),
            "created_at": NOW,
            "updated_at": NOW,
            **more,
        }
    )


def stale(found: Role) -> StaleRole | None:
    return stale_role(found, assessor=ASSESSOR, now=NOW, max_age_days=30)


def named(
    name: str, why: Why, days_old: float = 1, *, free: bool = False, company: str = "Acme"
) -> StaleRole:
    return StaleRole(
        role_id=name,
        company_id=company,
        role_name=name,
        reasons=(StaleReason(field="age", stored="a", required="b"),),
        why=why,
        made_at=NOW - timedelta(days=days_old),
        inputs_hash=f"inputs of {name}",
        free=free,
    )


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (role(), None),
        (role(jd="b"), Why.INPUTS),
        (role(jd="b", days_old=31, version="1"), Why.INPUTS),
        (role(days_old=31), Why.AGE),
        (role(days_old=31, version="1"), Why.AGE),
        (role(version="1"), Why.ASSESSOR),
        (role(jd="b", state=RoleStatus.DEGRADED), Why.INPUTS),
        (role(jd="b", state=RoleStatus.FAILED), Why.INPUTS),
        (role(state=RoleStatus.FAILED), None),
        (role(state=RoleStatus.STALE), Why.INPUTS),
        (role(jd="b", current=None), None),
    ],
)
def test_a_role_is_planned_for_its_most_pressing_reason(found: Role, why: Why | None) -> None:
    """A failed role whose assessment still holds is the operator's matter, not the night's."""
    planned = stale(found)
    assert (planned.why if planned else None) is why


def test_a_role_that_the_taxonomy_dropped_is_left_alone() -> None:
    entry = TaxonomyEntry(job_id="j", company_name="Acme", job_title="Analyst", status="removed")
    assert stale(role(jd="b", taxonomy=entry)) is None


def test_inputs_that_are_back_to_what_was_assessed_cost_nothing() -> None:
    """The mark stays until a push clears it, and that push finds the assessment again."""
    found = stale(role(state=RoleStatus.STALE))
    assert found is not None
    plan = make_plan([found], cost=2.0, purse=Purse(day=0.0), rollout_left=0)
    assert (plan.cost, len(plan.pushes)) == (0.0, 1)


def test_inputs_come_first_then_age_then_the_assessor_and_the_oldest_of_each() -> None:
    roles = [
        named("assessor", Why.ASSESSOR, 20),
        named("age", Why.AGE, 40),
        named("older", Why.AGE, 50),
        named("inputs", Why.INPUTS, 1),
    ]
    plan = make_plan(roles, cost=None, purse=Purse(), rollout_left=5)
    assert [r.role_id for r in plan.pushes] == ["inputs", "older", "age", "assessor"]
    assert plan.cost is None, "nobody knows the cost"


def test_the_budget_cuts_from_the_end_and_says_so() -> None:
    roles = [named("age", Why.AGE), named("a", Why.INPUTS, 3), named("b", Why.INPUTS, 2)]
    plan = make_plan(roles, cost=0.1, purse=Purse(day=0.2), rollout_left=0)
    assert [r.role_id for r in plan.pushes] == ["a", "b"]
    assert plan.cost == pytest.approx(0.2)
    assert plan.verdicts == {"push": 2, Verdict.DAY.value: 1}


def test_a_company_s_budget_cuts_its_own_roles_only_and_each_verdict_names_the_budget() -> None:
    """What is pushed beyond a budget would be refused, or wait for the whole month."""
    ages = {"Poor": 9, "Acme": 1}
    roles = [
        named(f"{company} {n}", Why.INPUTS, days - n / 10, company=company)
        for company, days in ages.items()
        for n in range(3)
    ]
    purse = Purse(day=3, month=100, companies={"Poor": 1.5})
    plan = make_plan(roles, cost=1, purse=purse, rollout_left=0)
    assert [r.role_id for r in plan.pushes] == ["Poor 0", "Acme 0", "Acme 1"]
    verdicts = {p.role.role_id: p.verdict for p in plan.roles}
    assert verdicts["Poor 1"] is verdicts["Poor 2"] is Verdict.COMPANY
    assert verdicts["Acme 2"] is Verdict.DAY
    purse = Purse(day=3, month=1)
    assert make_plan(roles, cost=1, purse=purse, rollout_left=0).verdicts == {
        "push": 1,
        Verdict.MONTH.value: 5,
    }
    assert purse.left == 1, "a plan is only a plan"


def test_a_changed_assessor_goes_only_as_far_as_its_roll_out() -> None:
    roles = [named(str(i), Why.ASSESSOR, i) for i in range(10)]
    plan = make_plan(roles, cost=0, purse=Purse(), rollout_left=3)
    assert [r.role_id for r in plan.pushes] == ["9", "8", "7"], "the oldest first"
    assert plan.verdicts[Verdict.ROLL_OUT.value] == 7
    assert rollout_tonight(1000, 20, 0) == 200
    assert rollout_tonight(1000, 20, 150) == 50, "what was done today counts"
    assert rollout_tonight(1000, 20, 300) == 0
    assert rollout_tonight(3, 20, 0) == 1, "a few roles are rolled out too"


def test_what_is_in_work_or_was_pushed_today_is_not_pushed_again() -> None:
    roles = [named("a", Why.INPUTS), named("b", Why.INPUTS), named("c", Why.INPUTS)]
    plan = make_plan(
        roles,
        cost=1,
        purse=Purse(month=1),
        rollout_left=0,
        in_work={"a"},
        pushed_today={("b", "inputs of b"), ("c", "other inputs")},
    )
    assert [r.role_id for r in plan.pushes] == ["c"], "its inputs changed since"
    assert [p.verdict for p in plan.roles] == [
        Verdict.PUSH,
        Verdict.IN_WORK,
        Verdict.PUSHED_TODAY,
    ]


roles_strategy = st.lists(
    st.builds(
        named,
        st.text("abcdef", min_size=1, max_size=5),
        st.sampled_from(Why),
        st.floats(0, 100),
        free=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda r: r.role_id,
)


@given(roles_strategy, st.floats(0, 5), st.floats(0, 20), st.integers(0, 10))
def test_every_plan_keeps_its_bounds_and_loses_nobody(
    roles: list[StaleRole], cost: float, budget: float, rollout: int
) -> None:
    purse = Purse(day=budget)
    plan = make_plan(roles, cost=cost, purse=purse, rollout_left=rollout)
    assert plan.cost is not None
    assert plan.cost <= budget + 1e-4, "money is counted in millionths"
    assert sum(r.why is Why.ASSESSOR for r in plan.pushes) <= rollout
    assert sorted(p.role.role_id for p in plan.roles) == sorted(r.role_id for r in roles)
    again = make_plan(list(reversed(roles)), cost=cost, purse=purse, rollout_left=rollout)
    assert again == plan, "the order in which roles are read changes nothing"


def test_the_cost_is_estimated_from_what_was_measured_of_this_assessor() -> None:
    costs = {ASSESSOR.key: (3.0, 2), "other/m/1": (100.0, 1)}
    assert mean_cost(costs, ASSESSOR) == 1.5
    assert mean_cost({}, ASSESSOR) is None


def test_a_reason_is_said_with_both_values() -> None:
    reason = StaleReason(field="jd_hash", stored="a" * 64, required=None)
    assert said_reason(reason) == "jd_hash: aaaaaaaaaaaa, now none"
    reason = StaleReason(field="draup_role", stored="Data Analyst", required="Business Analyst")
    assert said_reason(reason) == "draup_role: Data Analyst, now Business Analyst"
