"""What Dagster loads: everything together, under the names of the contract."""

from __future__ import annotations

import dagster as dg
import pytest

from etter_dagster.definitions import build_definitions
from etter_dagster.orchestration.run_tags import KIND_TAG, LANE_TAG, SOURCE_TAG
from etter_dagster.settings import Settings


def test_all_definitions_load_together(settings: Settings) -> None:
    """An op once had the name of its job: each worked alone, and no code server came up."""
    definitions = build_definitions(settings)
    dg.Definitions.validate_loadable(definitions)
    definitions.get_repository_def().load_all_definitions()


def test_the_names_are_those_of_the_contract(settings: Settings) -> None:
    """The platform launches by name, through GraphQL."""
    repository = build_definitions(settings).get_repository_def()
    assert {"onboard_roles", "push_roles"} <= set(repository.job_names)
    for sensor in ("push_queue_sensor", "taxonomy_sensor", "document_sensor"):
        assert repository.has_sensor_def(sensor)
    assert repository.has_schedule_def("nightly_reassessment")
    assets = {key.to_user_string() for key in repository.assets_defs_by_key}
    assert {"company_role", "job_description", "ai_assessment", "skills_profile"} <= assets
    assert "reassessment_plan" in assets


def test_what_is_launched_without_a_job_runs_in_one_process(settings: Settings) -> None:
    """`Materialize` and backfills: a process per op takes seconds more, and gets no signal."""
    repository = build_definitions(settings).get_repository_def()
    for name in repository.job_names:
        executor = repository.get_job(name).executor_def
        assert executor.name == "in_process", name


def test_every_job_tags_its_runs_with_what_they_are_and_who_asked(settings: Settings) -> None:
    """The list of runs is filtered by them; those of the checks and of pruning had none."""
    repository = build_definitions(settings).get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if job.name != "__ASSET_JOB"]
    assert len(jobs) >= 6
    for job in jobs:
        assert {KIND_TAG, SOURCE_TAG, LANE_TAG} <= set(job.run_tags), job.name
    for schedule in repository.schedule_defs:
        job_tags = repository.get_job(schedule.job_name).run_tags
        assert {**job_tags, **schedule.tags}[SOURCE_TAG] in ("nightly", "schedule"), schedule.name
        assert job_tags[SOURCE_TAG] == "dagster", "a person launches the same job by hand"


@pytest.mark.parametrize(
    ("asset", "kind"), [("reassessment_plan", "plan"), ("failed_roles", "checks")]
)
def test_a_run_that_is_launched_past_our_jobs_gets_the_tags_too(
    settings: Settings, instance: dg.DagsterInstance, asset: str, kind: str
) -> None:
    """`Materialize` in the UI, and backfills, know no job."""
    job = build_definitions(settings).get_repository_def().get_job("__ASSET_JOB")
    ran = job.get_subset(asset_selection={dg.AssetKey(asset)}).execute_in_process(instance=instance)
    run = instance.get_run_by_id(ran.run_id)
    assert run is not None
    assert (run.tags[KIND_TAG], run.tags[SOURCE_TAG]) == (kind, "dagster")


@pytest.mark.parametrize("tag", ["dagster/backfill", "dagster/partition", KIND_TAG])
def test_runs_of_roles_that_people_launch_leave_places_for_serving_runs(
    instance: dg.DagsterInstance, tag: str
) -> None:
    """A backfill of scattered partitions is hundreds of runs, and knows none of our tags."""
    queue = instance.get_concurrency_config().run_queue_config
    assert queue is not None
    limits = {limit["key"]: limit["limit"] for limit in queue.tag_concurrency_limits}
    assert limits[tag] < queue.max_concurrent_runs


def test_everything_says_when_to_use_it(settings: Settings) -> None:
    """Who opens Dagster's UI reads nothing else."""
    repository = build_definitions(settings).get_repository_def()
    named = {
        **{f"job {job.name}": job.description for job in repository.get_all_jobs()},
        **{f"sensor {s.name}": s.description for s in repository.sensor_defs},
        **{f"schedule {s.name}": s.description for s in repository.schedule_defs},
    }
    for definition in set(repository.assets_defs_by_key.values()):
        for spec in definition.specs:
            name = spec.key.to_user_string()
            named[f"asset {name}"] = spec.description
            assert spec.owners, name
            assert spec.kinds, name
            assert spec.group_name in ("roles", "overview"), name
            assert spec.freshness_policy, name
    for checks in set(repository.asset_checks_defs_by_key.values()):
        for check in checks.check_specs:
            named[f"check {check.name}"] = check.description
    short = [name for name, said in named.items() if len(said or "") < 40]
    assert short in ([], ["job __ASSET_JOB"]), short
    kinds = {name.split()[0] for name in named}
    assert kinds == {"job", "sensor", "schedule", "asset", "check"}
