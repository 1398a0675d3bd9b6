"""The Python names of the contract: where users import them from, and what they give."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from etter_dagster.model import (
    DocumentRef,
    DocumentType,
    ExecutionContext,
    RoleOnboardingInput,
    TaxonomyEntry,
    role_id,
)
from etter_dagster.onboarding import (
    Envelope,
    RoleOnboardingWorkflow,
    create_company_role,
    execute_role_onboarding,
    link_job_description,
    run_ai_assessment,
)
from etter_dagster.settings import get_settings
from etter_dagster.sources import get_document_provider, get_role_taxonomy_provider
from etter_dagster.stores import open_graph, open_queue
from etter_dagster_tests.support import JD

NAMES = {
    "etter_dagster.onboarding": "execute_role_onboarding RoleOnboardingWorkflow "
    "create_company_role link_job_description run_ai_assessment Step StepContext StepResult "
    "Envelope",
    "etter_dagster.model": "RoleOnboardingInput DocumentRef DocumentType ExecutionContext "
    "WorkflowOptions TaxonomyEntry WorkflowResult AssessmentOutputs RoleStatus WorkflowState "
    "ProgressInfo StepProgress role_id",
    "etter_dagster.sources": "RoleTaxonomyProvider DocumentProvider get_role_taxonomy_provider "
    "get_document_provider register_role_taxonomy_provider register_document_provider",
    "etter_dagster.settings": "Settings get_settings",
    "etter_dagster.stores": "open_graph open_queue",
    "etter_dagster.api": "app router create_app",
    "etter_dagster.client": "EtterClient PlatformClient",
}


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETTER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ETTER_RETRY_BACKOFF_SECONDS", "0.001")
    get_settings.cache_clear()


@pytest.mark.parametrize(
    ("module", "name"), [(m, n) for m, names in NAMES.items() for n in names.split()]
)
def test_the_names_are_where_the_contract_says(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name)


async def test_one_call_onboards_a_role() -> None:
    result = await execute_role_onboarding(
        company_id="Liberty Mutual",
        role_name="Claims Adjuster",
        documents=None,
        draup_role_name=None,
        use_mock_assessment=False,
    )
    assert result.success
    assert re.fullmatch(r"role-onboard-[0-9a-f]{12}", result.workflow_id)
    assert result.role_id == role_id("Liberty Mutual", "Claims Adjuster")
    assert result.outputs is not None
    assert 0 <= result.outputs.final_score <= 100
    assert result.dashboard_url
    assert [(s.name, s.status.value) for s in result.steps_completed] == [
        ("role_setup", "completed"),
        ("ai_assessment", "completed"),
        ("skills", "completed"),
    ]
    assert all(step.duration_ms is not None for step in result.steps_completed)
    assert result.error is None


async def test_a_failure_is_a_result_and_a_wrong_type_raises() -> None:
    result = await execute_role_onboarding(company_id="Nobody", role_name="Nothing")
    assert not result.success
    assert result.error is not None
    assert "document" in result.error.message
    assert result.error.recoverable is False
    with pytest.raises((TypeError, ValueError)):
        await execute_role_onboarding(company_id=["Acme"], role_name="Analyst")  # type: ignore[arg-type]


async def test_a_workflow_under_an_id_of_ones_own() -> None:
    workflow = RoleOnboardingWorkflow(
        workflow_id="role-onboard-0123456789ab", use_mock_assessment=True
    )
    result = await workflow.execute(
        RoleOnboardingInput(
            company_id="Acme",
            role_name="Analyst",
            documents=(DocumentRef(type=DocumentType.JOB_DESCRIPTION, content=JD),),
            draup_role_name="Data Analyst",
            context=ExecutionContext(company_id="Acme", user_id="me", trace_id="t-1"),
        )
    )
    assert (result.success, result.workflow_id) == (True, "role-onboard-0123456789ab")


async def test_the_pipeline_takes_and_gives_an_envelope() -> None:
    given = Envelope(
        id="e-1",
        inputs={"company_id": "Acme Corporation", "role_name": "Data Scientist"},
        context=ExecutionContext(company_id="Acme Corporation", user_id="me", trace_id="t-1"),
    )
    done = await RoleOnboardingWorkflow().run(given)
    assert (done.id, done.status, done.error) == ("e-1", "completed", None)
    assert (done.progress.current, done.progress.total) == (3, 3)
    assert done.outputs is not None
    assert done.outputs["role_id"] == role_id("Acme Corporation", "Data Scientist")


async def test_single_steps_give_flat_dicts() -> None:
    context = ExecutionContext(company_id="Acme", user_id="me", trace_id="t-1")
    made = await create_company_role(
        company_name="Acme", role_name="Analyst", draup_role_name="Data Analyst", context=context
    )
    linked = await link_job_description(
        company_role_id=made["company_role_id"], jd_content=JD, context=context
    )
    assert linked["jd_id"]
    assessed = await run_ai_assessment(
        company_name="Acme",
        role_name="Analyst",
        company_role_id=made["company_role_id"],
        context=context,
    )
    assert 0 <= assessed["ai_automation_score"] <= 100


def test_providers_are_synchronous() -> None:
    settings = get_settings()
    taxonomy = get_role_taxonomy_provider(settings)
    assert "Acme Corporation" in taxonomy.get_companies()
    entry = taxonomy.get_role("Acme Corporation", "Data Scientist")
    assert isinstance(entry, TaxonomyEntry)
    titles = [e.job_title for e in taxonomy.get_roles_for_company("Acme Corporation", "active")]
    assert "Data Scientist" in titles
    documents = get_document_provider(settings)
    jd = documents.get_document("Acme Corporation", "Data Scientist", DocumentType.JOB_DESCRIPTION)
    assert jd is not None
    assert documents.get_document("Acme Corporation", "Data Scientist", "job_description") == jd  # type: ignore[arg-type]
    assert documents.get_documents_for_role("Acme Corporation", "Data Scientist") == [jd]


async def test_the_stores_can_be_opened() -> None:
    graph, queue = open_graph(get_settings()), open_queue(get_settings())
    await graph.ping()
    await queue.ping()
    await graph.close()
    await queue.close()
