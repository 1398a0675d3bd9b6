"""The Python library of the contract: one onboarding in this process."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from etter_dagster.model import DocumentRef, RoleOnboardingInput, role_id
from etter_dagster.model.assessment import AssessorInfo
from etter_dagster.model.envelope import Envelope
from etter_dagster.onboarding import (
    RoleOnboardingWorkflow,
    create_company_role,
    execute_role_onboarding,
    link_job_description,
    run_ai_assessment,
)
from etter_dagster.settings import Settings, get_settings
from etter_dagster_tests.support import JD, ScriptedAssessor, scripted_services


@pytest.fixture(autouse=True)
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library reads the environment: here that of a machine with nothing configured."""
    monkeypatch.setenv("ETTER_DATA_DIR", str(settings.data_dir))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    get_settings.cache_clear()


async def test_a_sample_role_is_onboarded_by_its_name_alone() -> None:
    result = await execute_role_onboarding(
        company_id="Liberty Mutual", role_name="Claims Adjuster", use_mock_assessment=True
    )
    assert result.success
    assert result.role_id == role_id("Liberty Mutual", "Claims Adjuster")
    assert result.outputs is not None
    assert 0 < result.outputs.final_score < 100
    assert result.dashboard_url
    assert [(s.name, s.status.value) for s in result.steps_completed] == [
        ("role_setup", "completed"), ("ai_assessment", "completed"), ("skills", "completed"),
    ]  # fmt: skip
    assert all(s.duration_ms is not None for s in result.steps_completed)
    again = await execute_role_onboarding("Liberty Mutual", "Claims Adjuster")
    assert again.success
    assert again.workflow_id == result.workflow_id


async def test_an_invalid_onboarding_is_a_result_and_a_wrong_type_raises() -> None:
    result = await execute_role_onboarding(company_id="Acme", role_name="Nobody")
    assert not result.success
    assert result.error is not None
    assert "documents" in result.error.message
    assert not result.error.recoverable
    with pytest.raises(ValidationError):
        await execute_role_onboarding(company_id="Acme", role_name=7)  # type: ignore[arg-type]


async def test_a_workflow_id_names_one_push() -> None:
    """A script that keeps one in it, or executes a workflow twice, gets a result that says so."""
    workflow = RoleOnboardingWorkflow(workflow_id="role-onboard-0123456789ab")

    def given(role_name: str) -> RoleOnboardingInput:
        documents = (DocumentRef(content=JD),)
        return RoleOnboardingInput(
            company_id="Acme", role_name=role_name, documents=documents, draup_role_name="Analyst"
        )

    assert (await workflow.execute(given("A"))).success
    other = await workflow.execute(given("B"))
    assert not other.success
    assert other.error is not None
    assert other.error.message == "workflow_id: is that of an earlier push; take a new one"
    assert (await workflow.execute(given("A"))).success, "it is ready and unchanged"


async def test_a_workflow_takes_an_id_and_an_envelope() -> None:
    given = RoleOnboardingInput(
        company_id="Acme",
        role_name="Analyst",
        documents=(DocumentRef(content=JD),),
        draup_role_name="Data Analyst",
    )
    workflow = RoleOnboardingWorkflow(workflow_id="role-onboard-0123456789ab")
    result = await workflow.execute(given)
    assert (result.success, result.workflow_id) == (True, "role-onboard-0123456789ab")
    envelope = await RoleOnboardingWorkflow().run(
        Envelope(id="e1", inputs={"company_id": "Acme", "role_name": "Analyst"})
    )
    assert envelope.status == "completed"
    assert envelope.outputs is not None
    assert envelope.outputs["role_id"] == result.role_id


async def test_the_single_steps_build_on_one_another() -> None:
    role = await create_company_role(
        company_name="Acme", role_name="Analyst", draup_role_name="Data Analyst"
    )
    jd = await link_job_description(company_role_id=role["company_role_id"], jd_content=JD)
    score = await run_ai_assessment(
        company_name="Acme", role_name="Analyst", company_role_id=role["company_role_id"]
    )
    assert jd["jd_id"]
    assert 0 <= score["ai_automation_score"] <= 100


async def test_a_mock_onboarding_gives_the_mock_scores_also_beside_a_paid_one(
    settings: Settings,
) -> None:
    """The paid one stays the current one; whoever asked for a mock gets the mock."""
    paid = ScriptedAssessor(AssessorInfo(name="workflow_api", model="m", version="1"), score=70)
    services = scripted_services(settings, ScriptedAssessor(score=10), configured=paid)
    given = RoleOnboardingInput(
        company_id="Acme",
        role_name="Analyst",
        documents=(DocumentRef(content=JD),),
        draup_role_name="Data Analyst",
    )
    try:
        for use_mock, score in ((False, 70), (True, 10), (True, 10)):
            workflow = RoleOnboardingWorkflow(use_mock_assessment=use_mock, services=services)
            result = await workflow.execute(given)
            assert result.outputs is not None
            assert result.outputs.final_score == score
        current = await services.graph.current_assessment(role_id("Acme", "Analyst"))
        assert current is not None
        assert current.scores.final_score == 70
    finally:
        await services.close()
