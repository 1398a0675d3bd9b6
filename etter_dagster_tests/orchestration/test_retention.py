"""What of Dagster's event log is deleted, and that what Dagster shows of roles stays."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.dagster_run import FINISHED_STATUSES

from etter_dagster.definitions import build_definitions
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.onboarding.accept import accept_many
from etter_dagster.onboarding.check import PushOrder
from etter_dagster.onboarding.services import open_services
from etter_dagster.orchestration.retention import prune
from etter_dagster.settings import Settings
from etter_dagster_tests.orchestration.looking import ASSETS, events, failed, materialized
from etter_dagster_tests.support import forced, order

GOOD = ["Good", "Better", "Best"]


@pytest.fixture(params=["sqlite", "postgres"])
def storage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def roles_with_a_past(settings: Settings, instance: dg.DagsterInstance) -> Settings:
    """Three roles worked three times, and one that failed twice, each time in a run."""
    settings = settings.with_changes(linger_seconds=0)
    nothing = (DocumentRef(type=DocumentType.JOB_DESCRIPTION, content="# Nothing\n\nhere"),)
    for _ in range(3):
        serve(settings, instance, [order(name, options=forced()) for name in GOOD])
    for _ in range(2):
        serve(settings, instance, [order("Bad", documents=nothing, options=forced())])
    return settings


def serve(settings: Settings, instance: dg.DagsterInstance, orders: list[PushOrder]) -> str:
    """One serving run; gives its id."""

    async def push() -> None:
        services = open_services(settings)
        await accept_many(services, orders)
        await services.close()

    asyncio.run(push())
    job = build_definitions(settings).resolve_job_def("onboard_roles")
    return job.execute_in_process(instance=instance, raise_on_error=False).run_id


def shown(instance: dg.DagsterInstance) -> dict[str, object]:
    """What Dagster shows of roles."""
    return {
        asset: (
            materialized(instance, asset),
            failed(instance, asset),
            {(e.partition, *sorted((e.tags or {}).items())) for e in newest(instance, asset)},
        )
        for asset in ASSETS
    }


def newest(instance: dg.DagsterInstance, asset: str) -> list[dg.AssetMaterialization]:
    seen: dict[str | None, dg.AssetMaterialization] = {}
    for event in events(instance, asset):
        seen.setdefault(event.partition, event)
    return list(seen.values())


def test_what_dagster_shows_of_roles_stays_and_the_rest_goes(
    roles_with_a_past: Settings, instance: dg.DagsterInstance
) -> None:
    """Each partition keeps its newest materialization, and a failure that still stands."""
    before = shown(instance)
    gone = prune(instance, datetime.now(timezone.utc) - timedelta(hours=1))
    assert (gone.events, gone.runs) == (0, 0), "a person looks into yesterday's runs"
    assert len(instance.get_run_ids()) == 5
    assert any(failed(instance, asset) for asset in ASSETS)
    assert Counter(e.partition for e in events(instance, "ai_assessment")).most_common(1)[0][1] == 3

    gone = prune(instance, datetime.now(timezone.utc) + timedelta(seconds=1))
    assert shown(instance) == before
    for asset in ASSETS:
        assert set(Counter(e.partition for e in events(instance, asset)).values()) <= {1}
    # Of the good roles only the newest run is left, of the bad one what shows its failure.
    left = instance.get_run_ids(dg.RunsFilter(statuses=FINISHED_STATUSES))
    assert (gone.runs, len(left)) == (3, 2)
    assert prune(instance, datetime.now(timezone.utc)).events == 0
    assert shown(instance) == before

    # Nothing points to what is gone: a role can be worked again.
    run_id = serve(roles_with_a_past, instance, [order("Good", options=forced())])
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.is_success
    assert Counter(e.partition for e in events(instance, "ai_assessment")).most_common(1)[0][1] == 2


def test_logs_of_a_run_in_work_stay(
    roles_with_a_past: Settings, instance: dg.DagsterInstance
) -> None:
    """A run may take hours; its own page must not lose its beginning."""
    run_id = instance.get_run_ids()[0]
    count = len(instance.all_logs(run_id))
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.run_storage.delete_run(run_id)
    instance.run_storage.add_run(run.with_status(dg.DagsterRunStatus.STARTED))
    prune(instance, datetime.now(timezone.utc) + timedelta(seconds=1))
    assert len(instance.all_logs(run_id)) == count


def test_the_job_prunes_by_its_config(
    roles_with_a_past: Settings, instance: dg.DagsterInstance, home: Path, storage: str
) -> None:
    """A person may call for it sooner, with other days; files of old runs are gone then."""
    job = build_definitions(roles_with_a_past).resolve_job_def("prune_events")
    config = {"ops": {"delete_old_events": {"config": {"keep_days": 30}}}}
    assert job.execute_in_process(instance=instance, run_config=config).success
    assert len(instance.get_run_ids()) == 6
    if storage == "sqlite":
        files = list((home / "history" / "runs").glob("*.db"))
        prune(instance, datetime.now(timezone.utc) + timedelta(seconds=1))
        left = list((home / "history" / "runs").glob("*.db"))
        assert len(files) == 7  # six runs and the index
        assert [f.name for f in left] == ["index.db"]
