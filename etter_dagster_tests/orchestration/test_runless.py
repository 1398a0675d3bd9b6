"""What the library makes is reported to Dagster, where an instance is configured."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from etter_dagster.model import DocumentRef, role_id
from etter_dagster.onboarding import execute_role_onboarding
from etter_dagster.orchestration.runless import reporter_from_environment
from etter_dagster.settings import Settings
from etter_dagster_tests.orchestration.looking import ASSETS, events, materialized
from etter_dagster_tests.support import JD

ROLE = role_id("Acme", "Analyst")


async def onboard(role_name: str = "Analyst") -> bool:
    result = await execute_role_onboarding(
        "Acme", role_name, documents=[DocumentRef(content=JD)], draup_role_name="Data Analyst"
    )
    return result.success


async def test_what_the_library_makes_stands_in_the_instance(
    instance: dg.DagsterInstance,
) -> None:
    """The contract: where an instance is configured, what it made is reported there too."""
    assert await onboard()
    assert instance.get_dynamic_partitions("roles") == [ROLE]
    assert {asset: materialized(instance, asset) for asset in ASSETS} == {
        asset: {ROLE} for asset in ASSETS
    }
    assessment = events(instance, "ai_assessment")[0]
    assert assessment.metadata["company"].value == "Acme"
    tags = assessment.tags or {}
    parent = (events(instance, "job_description")[0].tags or {})["dagster/data_version"]
    assert tags["dagster/input_data_version/job_description"] == parent


async def test_a_role_that_is_found_ready_is_reported_once(instance: dg.DagsterInstance) -> None:
    """Nothing was made the second time; an event would say that there was."""
    assert await onboard()
    assert await onboard()
    assert len(events(instance, "ai_assessment")) == 1


def test_a_process_opens_the_instance_once(home: Path) -> None:
    """A script that onboards a thousand roles would spend most of its time on opening it."""
    first = reporter_from_environment()
    assert first is not None
    assert reporter_from_environment() is first


def test_without_an_instance_there_is_no_reporter() -> None:
    assert reporter_from_environment() is None


async def test_an_instance_that_cannot_be_opened_fails_the_onboarding_with_the_remedy(
    home: Path, settings: Settings
) -> None:
    """Configured but unreachable is an error, never a silent fall back; nothing is queued."""
    (home / "dagster.yaml").write_text("storage: {nonsense: 1}\n")
    result = await execute_role_onboarding(
        "Acme", "Analyst", documents=[DocumentRef(content=JD)], draup_role_name="Data Analyst"
    )
    assert not result.success
    assert result.error is not None
    assert result.error.code == "STORE_UNAVAILABLE"
    assert "DAGSTER_HOME" in result.error.message
    (home / "dagster.yaml").unlink()
    assert await onboard()


async def test_the_library_works_where_the_home_has_no_dagster_yaml(home: Path) -> None:
    (home / "dagster.yaml").unlink()
    assert await onboard()
    with dg.DagsterInstance.get() as instance:
        assert materialized(instance, "ai_assessment") == {ROLE}


async def test_a_linked_document_is_reported_by_its_name_and_length_only(
    instance: dg.DagsterInstance,
) -> None:
    """Dagster's log is read by more people than a customer's documents may be."""
    jd = DocumentRef(name="jd.md", content=f"# Analyst\n\nZanzibar is a place.\n{JD}")
    await execute_role_onboarding("Acme", "Analyst", [jd], draup_role_name="Data Analyst")
    linked = events(instance, "job_description")[0]
    assert "jd.md" in str(linked.metadata)
    told = [str(events(instance, asset)[0]) for asset in ("company_role", "job_description")]
    assert not any("Zanzibar" in text for text in told)
