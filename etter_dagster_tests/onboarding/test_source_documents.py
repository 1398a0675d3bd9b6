"""A document besides the job description that cannot be used keeps no role from its assessment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import (
    DocumentUnavailable,
    ErrorCode,
    EtterError,
    FieldProblem,
    SourceUnavailable,
    ValidationFailed,
)
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.push import Source, StepStatus, WorkflowOptions
from etter_dagster.model.role import Role
from etter_dagster.onboarding.accept import accept, retry
from etter_dagster.onboarding.document_sync import sync_documents
from etter_dagster.onboarding.role_setup import linked_documents
from etter_dagster.onboarding.services import Services, utc_now
from etter_dagster.onboarding.status import find_pushes
from etter_dagster.onboarding.tick_time import TickTime
from etter_dagster.settings import Settings
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.support import (
    JD,
    Recorder,
    order,
    scripted_services,
    work_off,
)
from etter_dagster_tests.world import World

PushedStep = tuple[Role, str | None]
RID = role_id("Acme", "Analyst")
SOP = "1. Open the ledger"
UNUSABLE = [
    ValidationFailed(FieldProblem("documents", "steps.pdf is encrypted; give it without password")),
    EtterError(ErrorCode.PAYLOAD_TOO_LARGE, "documents: steps.pdf holds too much"),
    DocumentUnavailable("steps.pdf: a link answered 404"),
]


@pytest.fixture
def world() -> World:
    world = World()
    world.write("Acme", "Analyst", JD)
    world.write("Acme", "Analyst", SOP, DocumentType.SOP)
    return world


async def listed(services: Services) -> None:
    await sync_documents(services, "Acme", TickTime(60, 60), has_documents=True)


async def role(services: Services) -> Role:
    found = await services.graph.role(RID)
    assert found is not None
    return found


async def pushed(
    settings: Settings, world: World, clock: Callable[[], datetime] = utc_now
) -> tuple[Services, Recorder, dict[str, str]]:
    """The role pushed with what its source has; gives the failures that a run would report."""
    services, recorder = world.services(scripted_services(settings, clock=clock)), Recorder()
    await services.graph.put_role("Acme", "Analyst", draup_role_name="Data Analyst")
    await listed(services)
    await accept(services, order(documents=()))
    result = await work_off(services, recorder)
    return services, recorder, result.failed


@pytest.mark.parametrize("error", UNUSABLE, ids=lambda error: error.code.value)
async def test_a_role_with_a_broken_second_document_is_assessed_and_says_what_it_lacks(
    settings: Settings, world: World, error: EtterError
) -> None:
    """A PDF that nobody needed failed the whole role."""
    world.broken["Acme", "Analyst", "sop"] = error
    services, recorder, failed = await pushed(settings, world)
    found = await role(services)
    assert (found.state, found.documents_hash) == (RoleStatus.DEGRADED, "")
    assert found.current is not None
    push = (await find_pushes(services, [found.workflow_id or ""]))[found.workflow_id or ""]
    setup = push.steps[0]
    assert setup.status is StepStatus.COMPLETED
    assert error.message in (setup.error_message or "")
    assert "Mend it" in (setup.error_message or "")
    assert failed == {}, "nothing was not made: the run has no reason to fail"
    made = next(event for event in recorder.made if event.asset == "job_description")
    assert made.metadata["left_out"] == [{"type": "sop", "reason": error.message}]
    await services.close()


@pytest.mark.parametrize("error", UNUSABLE, ids=lambda error: error.code.value)
async def test_what_was_left_out_is_linked_once_it_can_be_used(
    settings: Settings, world: World, error: EtterError
) -> None:
    """It had been listed before, so nothing else would ask for it again."""
    world.broken["Acme", "Analyst", "sop"] = error
    services, _, _ = await pushed(settings, world)
    world.broken.clear()
    await listed(services)
    found = await role(services)
    assert found.documents_hash
    assert found.state is RoleStatus.STALE
    await services.close()


async def retried(services: Services) -> PushedStep:
    """The role, and what its first step says, after a retry."""
    before = (await role(services)).workflow_id or ""
    clock = services.clock
    assert isinstance(clock, Clock)
    clock.tick(1)
    accepted = await retry(services, before, source=Source.REST)
    await work_off(services)
    push = (await find_pushes(services, [accepted.workflow_id]))[accepted.workflow_id]
    return await role(services), push.steps[0].error_message


async def test_a_retry_asks_the_source_for_what_was_left_out(
    settings: Settings, world: World, clock: Clock
) -> None:
    """Whoever mended it at its source need not wait for a sensor, which may be off."""
    world.broken["Acme", "Analyst", "sop"] = UNUSABLE[0]
    services, _, _ = await pushed(settings, world, clock)
    found, said = await retried(services)
    assert (found.state, found.documents_hash) == (RoleStatus.DEGRADED, "")
    assert "encrypted" in (said or "")
    world.broken["Acme", "Analyst"] = SourceUnavailable("away", retry_after=300)
    found, said = await retried(services)
    assert found.state is RoleStatus.DEGRADED, "no worse than before"
    assert "sop (away)" in (said or "")
    world.broken.clear()
    found, said = await retried(services)
    assert (found.state, said) == (RoleStatus.READY, None)
    documents = {doc.type: doc.content for doc in await services.graph.documents(RID)}
    assert documents == {DocumentType.JOB_DESCRIPTION: JD, DocumentType.SOP: SOP}
    await services.close()


async def test_such_a_retry_leaves_what_is_linked(
    settings: Settings, world: World, clock: Clock
) -> None:
    """A person may have given the job description since."""
    world.broken["Acme", "Analyst", "sop"] = UNUSABLE[0]
    services, _, _ = await pushed(settings, world, clock)
    own = linked_documents([DocumentRef(content=JD + "- Mine\n")], clock())
    await services.graph.link_documents(RID, own)
    world.broken.clear()
    del world.texts["Acme", "Analyst"][DocumentType.SOP]
    found, said = await retried(services)
    assert (found.state, said) == (RoleStatus.READY, None), "it is gone, so nothing is lacking"
    assert found.jd_hash == own[0].content_hash
    asked = world.calls["get_document"]
    await accept(services, order(documents=(), options=WorkflowOptions(force_rerun=True)))
    await work_off(services)
    assert world.calls["get_document"] == asked, "nothing is lacking any more"
    await services.close()


async def test_a_broken_job_description_fails_the_role_though_another_document_is_fine(
    settings: Settings, world: World
) -> None:
    world.broken["Acme", "Analyst", "job_description"] = UNUSABLE[0]
    services, _, failed = await pushed(settings, world)
    assert (await role(services)).state is RoleStatus.FAILED
    assert "steps.pdf is encrypted" in failed[RID]
    await services.close()


async def test_a_source_that_cannot_be_reached_is_tried_again(
    settings: Settings, world: World
) -> None:
    """An outage half-way through the documents is no reason to leave one out."""
    away = SourceUnavailable("away", retry_after=0)
    world.broken["Acme", "Analyst", "sop"] = away
    services, _, failed = await pushed(settings.with_changes(retry_backoff_seconds=0.01), world)
    assert (await role(services)).state is RoleStatus.FAILED
    assert failed == {RID: "away"}
    assert world.calls["get_document"] == 9, "three attempts, up to the third type"
    await services.close()
