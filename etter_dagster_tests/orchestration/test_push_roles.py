"""`push_roles`: pushes through Dagster, for a platform that speaks GraphQL only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import dagster as dg
import pytest

from etter_dagster.model.errors import ErrorCode, EtterError
from etter_dagster.model.identity import derived_workflow_id, role_id
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.push import Push, Source
from etter_dagster.onboarding.accept import accept
from etter_dagster.onboarding.archive import archive
from etter_dagster.onboarding.handing_in import hand_in
from etter_dagster.onboarding.services import Services, utc_now
from etter_dagster.onboarding.status import find_pushes
from etter_dagster.orchestration.push_roles import build_push_roles_job
from etter_dagster.settings import Settings
from etter_dagster.stores.protocols import AuditEntry
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.support import JD, forced, order, scripted_services, work_off

KEY = "deploy-7"


def item(role_name: Any = "Analyst", **changes: Any) -> dict[str, Any]:
    return {
        "company_id": "Acme",
        "role_name": role_name,
        "documents": [{"type": "job_description", "content": JD}],
        "draup_role_name": "Data Analyst",
        **changes,
    }


def launch(
    settings: Settings, *items: Mapping[str, Any], key: str = KEY
) -> dg.ExecuteInProcessResult:
    """One run of the job, as a launch through GraphQL does it."""
    config = {"pushes": list(items), "idempotency_key": key, "api_key_id": "k1"}
    return build_push_roles_job(settings).execute_in_process(
        run_config={"ops": {"queue_pushes": {"config": config}}},
        raise_on_error=False,
    )


def ids(count: int, key: str = KEY) -> list[str]:
    """What the caller knows beforehand."""
    return [derived_workflow_id("k1", key, str(index)) for index in range(count)]


def recorded(settings: Settings, count: int, key: str = KEY) -> list[Push]:
    async def look() -> list[Push]:
        services = scripted_services(settings)
        try:
            found = await find_pushes(services, ids(count, key))
        finally:
            await services.close()
        return [found[workflow_id] for workflow_id in ids(count, key)]

    return asyncio.run(look())


def with_services(settings: Settings, act: Any, clock: Callable[[], datetime] = utc_now) -> Any:
    """Runs a coroutine function over services of its own."""

    async def run() -> Any:
        services = scripted_services(settings, clock=clock)
        try:
            return await act(services)
        finally:
            await services.close()

    return asyncio.run(run())


async def hand_in_scripted(services: Services, *items: dict[str, Any]) -> list[Push]:
    """What the job does, over services that a test can look into."""
    return await hand_in(services, items, key_id="k1", key=KEY)


def test_the_pushes_wait_in_the_queue_under_the_ids_that_the_caller_knew(
    settings: Settings,
) -> None:
    assert launch(settings, item("A"), item("B", created_by="ann")).success
    pushes = recorded(settings, 2)
    assert [p.status for p in pushes] == [WorkflowState.QUEUED] * 2
    assert [p.role_name for p in pushes] == ["A", "B"]
    assert {p.source for p in pushes} == {Source.GRAPHQL}
    assert pushes[1].created_by == "ann"


def test_a_repeated_run_queues_nothing_twice(settings: Settings) -> None:
    """A platform that lost the answer launches the same again."""
    launch(settings, item("A"))
    assert launch(settings, item("A")).success
    counts = with_services(settings, lambda s: s.queue.counts(s.limits))
    assert sum(counts.waiting.values()) == 1


def test_the_same_key_with_other_pushes_fails_the_run_and_queues_nothing(
    settings: Settings,
) -> None:
    launch(settings, item("A"))
    result = launch(settings, item("B"), item("C"))
    assert not result.success
    failure = result.failure_data_for_node("queue_pushes")
    assert failure is not None
    assert "IDEMPOTENCY_CONFLICT" in str(failure.user_failure_data)
    assert [p.role_name for p in recorded(settings, 1)] == ["A"]
    active = with_services(
        settings, lambda s: s.queue.active([role_id("Acme", "B"), role_id("Acme", "C")])
    )
    assert active == {}


def test_a_key_is_not_taken_again_for_other_roles_after_its_day(
    settings: Settings, clock: Clock
) -> None:
    """The ids follow from the key: the old pushes' records would pose as the new ones'."""

    async def act(services: Services) -> list[Push]:
        await hand_in_scripted(services, item("A"))
        clock.tick(25 * 3600)
        with pytest.raises(EtterError) as refused:
            await hand_in_scripted(services, item("B"))
        assert refused.value.code is ErrorCode.IDEMPOTENCY_CONFLICT
        return await hand_in_scripted(services, item("A"))

    (again,) = with_services(settings, act, clock)
    assert (again.role_name, again.workflow_id) == ("A", ids(1)[0])


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (item("", documents=[]), "VALIDATION_ERROR"),
        (item("New", draup_role_name=None), "VALIDATION_ERROR"),
        (item(role_name=7), "VALIDATION_ERROR"),
        ({"role_name": "New"}, "VALIDATION_ERROR"),
        (item("New", documents=[{"content": None, "name": None}]), "VALIDATION_ERROR"),
        (item(None), "VALIDATION_ERROR"),
        (item("New", workflow_id="role-onboard-000000000000"), "VALIDATION_ERROR"),
        (item("New", documents=[{"type": "novel", "content": JD}]), "VALIDATION_ERROR"),
        (item("N\ud800ew\0"), "VALIDATION_ERROR"),
        (item("N" * 5000), "VALIDATION_ERROR"),
        (item("New", documents=[{"content": JD}] * 21), "PAYLOAD_TOO_LARGE"),
        (item("New", documents=[{"uri": "https://example.com/jd"}]), "VALIDATION_ERROR"),
        (item("A"), "ALREADY_PROCESSING"),
    ],
)
def test_a_refused_push_has_a_failed_record_and_does_not_block_the_others(
    settings: Settings, bad: dict[str, Any], code: str
) -> None:
    """The caller has no answer to read, only the id; a 404 would look like a lost push."""
    assert launch(settings, item("A"), bad, item("B")).success
    first, refused, last = recorded(settings, 3)
    assert (first.status, last.status) == (WorkflowState.QUEUED, WorkflowState.QUEUED)
    assert refused.status is WorkflowState.FAILED
    assert refused.error is not None
    assert refused.error.code == code
    assert refused.completed_at is not None


def test_a_refusal_creates_no_role(settings: Settings) -> None:
    launch(settings, item("New", documents=[]), item("A"))
    assert with_services(settings, lambda s: s.graph.role(role_id("Acme", "New"))) is None


def test_a_ready_role_has_a_ready_record_with_its_score_and_is_not_moved(
    settings: Settings,
) -> None:
    async def onboard(services: Services) -> str:
        made = await accept(services, order("Analyst"))
        await work_off(services)
        return made.workflow_id

    first = with_services(settings, onboard)
    role = with_services(settings, lambda s: s.graph.role(role_id("Acme", "Analyst")))
    assert role.workflow_id == first
    with_scripted = with_services(settings, lambda s: hand_in_scripted(s, item("Analyst")))
    assert [(p.status, p.ai_automation_score) for p in with_scripted] == [
        (WorkflowState.READY, 40.0)
    ]
    after = with_services(settings, lambda s: s.graph.role(role_id("Acme", "Analyst")))
    assert (after.state, after.workflow_id) == (RoleStatus.READY, first)


@pytest.mark.parametrize("was_ready", [False, True])
def test_a_push_that_is_given_up_settles_its_role_although_a_later_one_was_refused(
    settings: Settings, was_ready: bool
) -> None:
    """The refused one's record is newer, but it did not work on the role."""

    async def act(services: Services) -> RoleStatus:
        if was_ready:
            await accept(services, order("Analyst"))
            await work_off(services)
        made = await accept(services, order("Analyst", options=forced()))
        await hand_in_scripted(services, item("Analyst"))
        for attempt in range(4):
            claims = await services.queue.claim(
                f"w{attempt}", 1, limits=services.limits, lease_seconds=-1.0
            )
            assert len(claims) == (attempt < 3)
        assert (await find_pushes(services, [made.workflow_id]))[
            made.workflow_id
        ].status is WorkflowState.FAILED
        await archive(services)
        role = await services.graph.role(role_id("Acme", "Analyst"))
        assert role is not None
        return role.state

    assert with_services(settings, act) is RoleStatus.FAILED


def test_options_are_taken(settings: Settings) -> None:
    launch(settings, item("A", options={"force_rerun": True}))
    assert recorded(settings, 1)[0].options == forced()


def test_the_run_shows_the_verdicts_the_refused_ones_first(settings: Settings) -> None:
    result = launch(settings, item("A"), item("B", documents=[]))
    (event,) = [e for e in result.all_node_events if e.event_type_value == "STEP_OUTPUT"]
    shown = event.step_output_data.metadata
    assert (shown["pushes"].value, shown["refused"].value) == (2, 1)
    table = shown["verdicts"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [row.data["index"] for row in table.records] == [1, 0]


def test_it_stands_in_the_audit_under_the_key_that_asked(settings: Settings) -> None:
    launch(settings, item("A"), item("B", documents=[]))
    entries, _ = with_services(settings, lambda s: s.graph.audit(None, cursor=None, limit=10))
    entry: AuditEntry = entries[0]
    assert (entry.actor, entry.action, entry.company_id) == ("k1", "push_roles", "Acme")
    assert entry.detail == {"pushes": 2, "refused": 1}


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_of_no_use_fails_the_run_naming_the_field(settings: Settings, key: str) -> None:
    result = launch(settings, item("A"), key=key)
    failure = result.failure_data_for_node("queue_pushes")
    assert failure is not None
    assert "idempotency_key" in str(failure.user_failure_data)


def test_an_empty_list_fails_the_run_naming_the_field(settings: Settings) -> None:
    failure = launch(settings).failure_data_for_node("queue_pushes")
    assert failure is not None
    assert "pushes: is empty" in str(failure.user_failure_data)
