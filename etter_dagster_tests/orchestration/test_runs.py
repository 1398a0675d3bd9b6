"""A run over a real instance: what it works on, and what Dagster shows of it afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import dagster as dg
import pytest

from etter_dagster.definitions import build_definitions
from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.push import Push, Source
from etter_dagster.onboarding.accept import accept, accept_many
from etter_dagster.onboarding.roles import define_role
from etter_dagster.onboarding.services import Services
from etter_dagster.orchestration import serving_run
from etter_dagster.orchestration.partitions import add_partitions
from etter_dagster.orchestration.run_tags import LAUNCH_TAG
from etter_dagster.settings import Settings
from etter_dagster.stores.protocols import PushFilter
from etter_dagster_tests.orchestration.looking import ASSETS, events, failed, materialized
from etter_dagster_tests.support import JD, order, scripted_services


@pytest.fixture(params=["sqlite", "postgres"])
def storage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


T = TypeVar("T")
NO_TASKS = "# Nothing\n\nto assess here"


@pytest.fixture
def fast(settings: Settings) -> Settings:
    """A serving run that ends as soon as there is no work."""
    return settings.with_changes(linger_seconds=0)


def work(settings: Settings, act: Callable[[Services], Awaitable[T]]) -> T:
    async def run() -> T:
        services = scripted_services(settings)
        try:
            return await act(services)
        finally:
            await services.close()

    return asyncio.run(run())


def run_roles(
    settings: Settings,
    instance: dg.DagsterInstance,
    partition: str | None = None,
    *,
    tags: dict[str, str] | None = None,
    selected: list[str] | None = None,
    force: bool = False,
) -> dg.ExecuteInProcessResult:
    """One run of `onboard_roles` in this process."""
    job = build_definitions(settings).resolve_job_def("onboard_roles")
    return job.execute_in_process(
        instance=instance,
        partition_key=partition,
        tags=tags,
        asset_selection=[dg.AssetKey(asset) for asset in selected] if selected else None,
        run_config={"ops": {"onboard": {"config": {"force_rerun": force}}}},
        raise_on_error=False,
    )


def define(settings: Settings, instance: dg.DagsterInstance, *names: str, bad: str = "") -> None:
    """Roles that can be worked on, in order; `bad` has a JD that no task can be read from."""

    async def act(services: Services) -> None:
        orders = [
            order(
                name,
                documents=(DocumentRef(content=NO_TASKS if name == bad else JD),),
            )
            for name in names
        ]
        for pushed in await accept_many(services, orders):
            assert not isinstance(pushed, Exception), pushed

    work(settings, act)
    add_partitions(instance, [role_id("Acme", name) for name in names])


def rid(name: str) -> str:
    return role_id("Acme", name)


def shown(instance: dg.DagsterInstance, asset: str) -> tuple[set[str], set[str]]:
    """(materialized, failed) partitions of an asset."""
    return materialized(instance, asset), failed(instance, asset)


# -- without a partition: serving -----------------------------------------------------------------
def test_a_serving_run_works_the_queue_off_and_shows_each_role(
    fast: Settings, instance: dg.DagsterInstance
) -> None:
    define(fast, instance, "A", "B")
    result = run_roles(fast, instance)
    assert result.success
    for asset in ASSETS:
        assert shown(instance, asset) == ({rid("A"), rid("B")}, set())
    assert len(events(instance, "ai_assessment")) == 2


def test_a_serving_run_shows_exactly_the_failed_role_as_failed(
    fast: Settings, instance: dg.DagsterInstance
) -> None:
    """What was made before the failure stays; the run fails, naming the role and why."""
    define(fast, instance, "A", "Bad", "C", bad="Bad")
    result = run_roles(fast, instance)
    good, every = {rid("A"), rid("C")}, {rid("A"), rid("C"), rid("Bad")}
    assert shown(instance, "company_role") == (every, set())
    assert shown(instance, "job_description") == (every, set())
    assert shown(instance, "ai_assessment") == (good, {rid("Bad")})
    assert not result.success
    failure = result.failure_data_for_node("onboard")
    assert failure is not None
    assert failure.user_failure_data is not None
    assert rid("Bad") in (failure.user_failure_data.description or "")
    assert rid("A") not in (failure.user_failure_data.description or "")
    # One layer retries, and it is not Dagster.
    assert failure.error is not None
    assert instance.get_run_by_id(result.run_id).status is dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]


def test_a_role_that_failed_is_shown_well_once_it_was_made(
    fast: Settings, instance: dg.DagsterInstance
) -> None:
    define(fast, instance, "Bad", bad="Bad")
    run_roles(fast, instance)
    define(fast, instance, "Bad")
    assert run_roles(fast, instance).success
    assert shown(instance, "ai_assessment") == ({rid("Bad")}, set())


def test_a_serving_run_adds_the_partitions_that_are_missing(
    fast: Settings, instance: dg.DagsterInstance
) -> None:
    """The sensor may be off, or behind: an event of an unknown key would be shown nowhere."""
    work(fast, lambda s: accept(s, order("New")))
    assert run_roles(fast, instance).success
    assert instance.get_dynamic_partitions("roles") == [rid("New")]


def test_a_serving_run_with_nothing_to_do_succeeds(
    fast: Settings, instance: dg.DagsterInstance
) -> None:
    assert run_roles(fast, instance).success


def test_a_run_names_a_bounded_number_of_failed_roles() -> None:
    """Hundreds of roles may fail by one cause; the run's error must stay readable."""
    said = serving_run._said({f"role-{n}": "why" for n in range(500)})
    assert "500 roles failed" in said
    assert "and 480 more" in said
    assert len(said.splitlines()) < 30
    assert serving_run._said({"role": "why"}) == "1 role failed\nrole: why"


def test_a_serving_run_executed_again_is_another_worker() -> None:
    """With its parent's name, the first of two to end would give back what the other holds."""
    tags = {LAUNCH_TAG: "serving-1"}
    launched = dg.DagsterRun(job_name="onboard_roles", tags=tags)
    assert serving_run.worker_name(launched) == "serving-1"
    again = dg.DagsterRun(job_name="onboard_roles", tags=tags | {"dagster/parent_run_id": "p"})
    names = {serving_run.worker_name(again) for _ in range(2)}
    assert len(names) == 2
    assert "serving-1" not in names


# -- with a partition or a range ------------------------------------------------------------------
def test_one_partition_is_worked_and_no_other(fast: Settings, instance: dg.DagsterInstance) -> None:
    define(fast, instance, "A", "B")
    work(fast, lambda s: _cancel_all(s, "A", "B"))
    # Known by name, with what an earlier push linked: a first run of `B` alone.
    work(fast, lambda s: _link(s, "B"))
    assert run_roles(fast, instance, rid("B")).success
    for asset in ASSETS:
        assert shown(instance, asset) == ({rid("B")}, set())
    (push,) = work(fast, lambda s: _history(s, "B"))[:1]
    assert (push.source, push.status) == (Source.DAGSTER, WorkflowState.READY)


def test_a_range_shows_exactly_the_failing_role_as_failed(
    fast: Settings, instance: dg.DagsterInstance
) -> None:
    names = ["P1", "P2", "P3", "P4", "P5"]
    add_partitions(instance, [rid(name) for name in names])

    async def link_all(services: Services) -> None:
        for name in names:
            await _link(services, name, NO_TASKS if name == "P3" else JD)

    work(fast, link_all)
    tags = {
        "dagster/asset_partition_range_start": rid("P2"),
        "dagster/asset_partition_range_end": rid("P4"),
    }
    result = run_roles(fast, instance, tags=tags)
    assert not result.success
    middle = {rid("P2"), rid("P3"), rid("P4")}
    assert shown(instance, "company_role") == (middle, set())
    assert shown(instance, "job_description") == (middle, set())
    assert shown(instance, "ai_assessment") == (middle - {rid("P3")}, {rid("P3")})
    role = work(fast, lambda s: s.graph.role(rid("P3")))
    assert role is not None
    assert role.state is RoleStatus.FAILED


def test_a_ready_unchanged_role_succeeds_and_is_assessed_again_only_if_forced(
    fast: Settings, instance: dg.DagsterInstance
) -> None:
    """The contract: materializing it pays nothing."""
    define(fast, instance, "A")
    run_roles(fast, instance)
    assert run_roles(fast, instance, rid("A")).success
    assert len(work(fast, lambda s: s.graph.assessments(rid("A")))) == 1
    assert run_roles(fast, instance, rid("A"), force=True).success
    assert len(work(fast, lambda s: s.graph.assessments(rid("A")))) == 2


def test_a_reexecution_from_failure_assesses_again_only_what_its_run_has_not(
    fast: Settings, instance: dg.DagsterInstance
) -> None:
    """One of hundreds failed under `force_rerun`: the others are paid for already."""
    names = ["A", "B"]
    add_partitions(instance, [rid(name) for name in names])
    work(fast, lambda s: _link(s, "A"))
    work(fast, lambda s: _link(s, "B", NO_TASKS))
    range_ = {
        "dagster/asset_partition_range_start": rid("A"),
        "dagster/asset_partition_range_end": rid("B"),
    }
    first = run_roles(fast, instance, tags=range_, force=True)
    assert not first.success
    work(fast, lambda s: _link(s, "B"))
    again = range_ | {
        "dagster/parent_run_id": first.run_id,
        "dagster/root_run_id": first.run_id,
        "dagster/is_resume_retry": "true",
    }

    def made() -> list[int]:
        return [
            len(work(fast, lambda s, name=name: s.graph.assessments(rid(name))))  # type: ignore[misc]
            for name in names
        ]

    assert run_roles(fast, instance, tags=again, force=True).success
    assert made() == [1, 1]
    assert run_roles(fast, instance, tags=again, force=True).success, "B's run has the same root"
    assert made() == [1, 1]
    del again["dagster/is_resume_retry"]
    assert run_roles(fast, instance, tags=again, force=True).success, "all of it once more"
    assert made() == [2, 2]


def test_dagster_shows_what_changed_since_the_last_assessment(
    fast: Settings, instance: dg.DagsterInstance
) -> None:
    """With a changed JD: the tasks that came and went, and why the score is another one."""
    define(fast, instance, "A")
    run_roles(fast, instance)
    (first,) = events(instance, "ai_assessment")
    assert "changed_since_last_md" not in first.metadata
    changed = JD.replace("Review data for errors and correct them", "Greet visitors at the door")
    work(fast, lambda s: _link(s, "A", changed))
    assert run_roles(fast, instance, rid("A")).success
    newest = events(instance, "ai_assessment")[0]
    summary = newest.metadata["changed_since_last_md"]
    assert isinstance(summary, dg.MarkdownMetadataValue)
    assert "Why: the job description changed." in str(summary.md_str)
    table = newest.metadata["changed_tasks"]
    assert isinstance(table, dg.TableMetadataValue)
    assert {r.data["change"] for r in table.records} == {"added", "removed"}


def test_a_role_held_by_somebody_else_fails_naming_the_workflow(
    fast: Settings, instance: dg.DagsterInstance
) -> None:
    define(fast, instance, "A")
    held = work(fast, lambda s: s.queue.claim("else", 1, limits=s.limits, lease_seconds=600))
    result = run_roles(fast, instance, rid("A"))
    failure = result.failure_data_for_node("onboard")
    assert failure is not None
    assert held[0].push.workflow_id in str(failure.user_failure_data)
    assert failed(instance, "company_role") == {rid("A")}


@pytest.mark.parametrize("known", [True, False])
def test_a_partition_of_no_role_fails_with_the_remedy(
    fast: Settings, instance: dg.DagsterInstance, known: bool
) -> None:
    """Dagster launches a run for a key that it does not know, too."""
    add_partitions(instance, [rid("Ghost")] if known else [])
    result = run_roles(fast, instance, tags={"dagster/partition": rid("Ghost")})
    failure = result.failure_data_for_node("onboard")
    assert failure is not None
    assert "push it" in str(failure.user_failure_data)


def test_a_deleted_partition_is_back_when_its_role_is_worked(
    fast: Settings, instance: dg.DagsterInstance
) -> None:
    """Its role is there as before; what is reported of it must show somewhere."""
    work(fast, lambda s: _link(s, "A"))
    assert run_roles(fast, instance, tags={"dagster/partition": rid("A")}).success
    assert instance.get_dynamic_partitions("roles") == [rid("A")]


def test_a_selection_of_assets_reports_all_that_was_made(
    fast: Settings, instance: dg.DagsterInstance
) -> None:
    """A role is worked on as a whole; what Dagster shows would be older than what there is."""
    define(fast, instance, "A")
    work(fast, lambda s: _cancel_all(s, "A"))
    work(fast, lambda s: _link(s, "A"))
    assert run_roles(fast, instance, rid("A"), selected=["ai_assessment"]).success
    for asset in ASSETS:
        assert materialized(instance, asset) == {rid("A")}


async def _cancel_all(services: Services, *names: str) -> None:
    active = await services.queue.active([rid(name) for name in names])
    for push in active.values():
        await services.queue.cancel(push.workflow_id, now=services.clock())


async def _link(services: Services, name: str, text: str = JD) -> None:
    """A draft with a JD and a Draup role, as `PUT /roles` leaves it."""
    await define_role(
        services,
        "Acme",
        name,
        draup_role_id=None,
        draup_role_name="Data Analyst",
        documents=[DocumentRef(type=DocumentType.JOB_DESCRIPTION, content=text)],
    )


async def _history(services: Services, name: str) -> list[Push]:
    where = PushFilter(role_id=rid(name))
    return list((await services.graph.list_history(where, cursor=None, limit=10)).items)
