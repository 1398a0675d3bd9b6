"""Documents into the catalogue: listed first, fetched only where they changed."""

from __future__ import annotations

import asyncio

import pytest

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import (
    DocumentUnavailable,
    FieldProblem,
    SourceUnavailable,
    ValidationFailed,
)
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.role import Role
from etter_dagster.onboarding import document_sync
from etter_dagster.onboarding.accept import accept
from etter_dagster.onboarding.document_sync import DocumentsSynced, sync_documents
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.tick_time import TickTime
from etter_dagster.settings import Settings
from etter_dagster_tests.support import JD, order, scripted_services, work_off
from etter_dagster_tests.world import World

RID = role_id("Acme", "Analyst")
NEW_JD = JD + "- Close the books every month\n"


async def sync(services: Services, *, seconds: float = 60.0) -> DocumentsSynced:
    limit = TickTime(seconds, 60)
    return await sync_documents(services, "Acme", limit, has_documents=True)


async def role(services: Services) -> Role:
    found = await services.graph.role(RID)
    assert found is not None
    return found


@pytest.fixture
def world() -> World:
    world = World()
    world.write("Acme", "Analyst", JD)
    return world


async def onboarded(settings: Settings, world: World) -> Services:
    """A role that was onboarded from the document of the source."""
    services = world.services(scripted_services(settings))
    await services.graph.put_role("Acme", "Analyst", draup_role_name="Data Analyst")
    await sync(services)
    await accept(services, order(documents=(), draup_role_name=None))
    await work_off(services)
    assert (await role(services)).state is RoleStatus.READY
    world.calls.clear()
    return services


async def test_what_is_seen_first_is_recorded_and_not_fetched(
    settings: Settings, world: World
) -> None:
    """A first sync of 100,000 roles must not fetch 100,000 documents."""
    services = world.services(scripted_services(settings))
    await services.graph.put_role("Acme", "Analyst", draup_role_name="Data Analyst")
    found = await sync(services)
    assert (found.listed, found.fetched, world.calls["get_document"]) == (1, 0, 0)
    assert [doc.key for doc in (await role(services)).catalogued or ()] == [
        "Analyst/job_description"
    ]
    await services.close()


async def test_only_what_changed_is_fetched_and_makes_its_role_stale(
    settings: Settings, world: World
) -> None:
    services = await onboarded(settings, world)
    assert (await sync(services)).fetched == 0
    world.write("Acme", "Analyst", NEW_JD)
    found = await sync(services)
    assert (found.fetched, found.stale) == (1, [RID])
    stale = await role(services)
    assert stale.state is RoleStatus.STALE
    assert [reason.field for reason in stale.stale_marks] == ["jd_hash"]
    again = await sync(services)
    assert (again.fetched, again.stale) == (0, [])
    await services.close()


async def test_an_equivalent_text_is_no_change(settings: Settings, world: World) -> None:
    """A document saved anew, or with other line ends, costs no assessment."""
    services = await onboarded(settings, world)
    world.write("Acme", "Analyst", "\ufeff" + JD.replace("\n", "\r\n") + "\n")
    found = await sync(services)
    assert (found.fetched, found.changed, found.stale) == (1, [], [])
    assert (await sync(services)).fetched == 0, "it is not fetched again"
    await services.close()


async def test_another_document_is_an_input_too(settings: Settings, world: World) -> None:
    services = await onboarded(settings, world)
    world.write("Acme", "Analyst", "1. Open the ledger", DocumentType.SOP)
    assert (await sync(services)).stale == [RID]
    assert [r.field for r in (await role(services)).stale_marks] == ["documents_hash"]
    await services.close()


async def test_a_document_that_is_gone_changes_nothing_until_it_is_back(
    settings: Settings, world: World
) -> None:
    services = await onboarded(settings, world)
    kept = world.texts.pop(("Acme", "Analyst"))
    found = await sync(services)
    assert (found.stale, (await role(services)).catalogued) == ([], ())
    world.texts["Acme", "Analyst"] = kept
    assert (await sync(services)).stale == []
    await services.close()


async def test_a_fetch_that_fails_marks_nothing_and_is_caught_up(
    settings: Settings, world: World
) -> None:
    services = await onboarded(settings, world)
    world.write("Acme", "Analyst", NEW_JD)
    world.failures["get_document"] = SourceUnavailable("away")
    found = await sync(services)
    assert (found.stale, found.waiting) == ([], 1)
    assert found.failure is not None
    assert (await role(services)).state is RoleStatus.READY
    world.failures.clear()
    assert (await sync(services)).stale == [RID]
    await services.close()


async def test_a_document_that_is_lost_keeps_no_other_waiting(
    settings: Settings, world: World
) -> None:
    """Its storage answered 404 for days, and no later role of the company heard of a change."""
    services = await onboarded(settings, world)
    world.write("Acme", "Baker", JD)
    await accept(services, order("Baker"))
    await sync(services)
    await work_off(services)
    for name in ("Analyst", "Baker"):
        world.write("Acme", name, NEW_JD)
    world.broken["Acme", "Analyst"] = DocumentUnavailable("a link answered 404")
    found = await sync(services)
    assert (found.stale, found.waiting) == ([role_id("Acme", "Baker")], 1)
    assert found.failure is None, "the source is not asked to rest"
    assert found.unusable == [f"{RID}: a link answered 404"]
    world.broken.clear()
    assert (await sync(services)).stale == [RID]
    await services.close()


async def test_a_document_that_fails_each_time_keeps_no_other_waiting_and_an_outage_asks_little(
    settings: Settings, world: World
) -> None:
    """The API answered 500 for one document for days; if it does for all, it is away."""
    services = await onboarded(settings, world)
    others = [f"Role {number}" for number in range(9)]
    for name in others:
        world.write("Acme", name, JD)
        await accept(services, order(name))
    await sync(services)
    await work_off(services)
    for name in ("Analyst", *others):
        world.write("Acme", name, NEW_JD)
    world.failures["get_document"] = SourceUnavailable("the documents API answered 500")
    world.calls.clear()
    found = await sync(services)
    assert (found.stale, found.waiting, world.calls["get_document"]) == ([], 10, 5)
    world.failures.clear()
    world.broken["Acme", "Analyst"] = SourceUnavailable("the documents API answered 500")
    found = await sync(services)
    assert (set(found.stale), found.waiting) == ({role_id("Acme", name) for name in others}, 1)
    assert found.failure is not None, "the tick says so"
    world.broken.clear()
    assert (await sync(services)).stale == [RID]
    await services.close()


async def test_a_list_that_fails_changes_nothing(settings: Settings, world: World) -> None:
    services = await onboarded(settings, world)
    world.write("Acme", "Analyst", NEW_JD)
    world.failures["list_documents"] = SourceUnavailable("away")
    with pytest.raises(SourceUnavailable):
        await sync(services)
    assert (await role(services)).state is RoleStatus.READY
    await services.close()


async def test_a_document_that_cannot_be_used_is_named_once(
    settings: Settings, world: World
) -> None:
    """It would otherwise be fetched at every tick, for ever."""
    services = await onboarded(settings, world)
    world.write("Acme", "Analyst", "%PDF-")
    world.broken["Acme", "Analyst"] = ValidationFailed(FieldProblem("document", "is no PDF"))
    found = await sync(services)
    assert (found.stale, len(found.unusable)) == ([], 1)
    assert world.calls["get_document"] == 1
    await sync(services)
    assert world.calls["get_document"] == 1
    await services.close()


async def test_what_time_does_not_allow_comes_next(settings: Settings, world: World) -> None:
    services = await onboarded(settings, world)
    world.write("Acme", "Analyst", NEW_JD)
    found = await sync(services, seconds=-1)
    assert (found.fetched, found.waiting) == (0, 1)
    assert (await sync(services)).stale == [RID]
    await services.close()


async def test_a_document_that_is_lost_keeps_the_roles_others_not_waiting(
    settings: Settings, world: World
) -> None:
    services = await onboarded(settings, world)
    world.write("Acme", "Analyst", NEW_JD)
    world.write("Acme", "Analyst", "1. Open the ledger", DocumentType.SOP)
    world.broken["Acme", "Analyst", "sop"] = DocumentUnavailable("a link answered 404")
    found = await sync(services)
    assert (found.stale, found.waiting) == ([RID], 1)
    assert (await role(services)).documents_hash == ""
    world.broken.clear()
    assert (await sync(services)).fetched == 1, "the lost one alone"
    assert (await role(services)).documents_hash
    await services.close()


async def pushed_before_any_listing(settings: Settings, world: World) -> Services:
    services = world.services(scripted_services(settings))
    await accept(services, order(documents=()))
    await work_off(services)
    assert (await role(services)).jd_hash
    world.calls.clear()
    return services


async def test_a_document_that_changed_between_onboarding_and_first_listing_is_noticed(
    settings: Settings, world: World
) -> None:
    """What the first listing saw was taken for what had been assessed."""
    services = await pushed_before_any_listing(settings, world)
    world.write("Acme", "Analyst", NEW_JD)
    assert (await sync(services)).stale == [RID]
    assert (await sync(services)).fetched == 0
    await services.close()


async def test_a_document_that_is_as_it_was_onboarded_is_compared_once(
    settings: Settings, world: World
) -> None:
    services = await pushed_before_any_listing(settings, world)
    world.write("Acme", "Analyst", JD.replace("\n", "\r\n"))
    found = await sync(services)
    assert (found.fetched, found.changed) == (1, [])
    assert (await sync(services)).fetched == 0
    await services.close()


async def test_a_document_that_changed_and_was_listed_while_its_text_was_fetched_is_noticed(
    settings: Settings, world: World
) -> None:
    """The listing is of the new text, what was linked afterwards is the old one."""
    services = world.services(scripted_services(settings))
    loop = asyncio.get_running_loop()
    old = world.get_documents_for_role

    def slow(company: str, title: str) -> list[DocumentRef]:
        found = old(company, title)
        world.write("Acme", "Analyst", NEW_JD)
        asyncio.run_coroutine_threadsafe(sync(services), loop).result(60)
        return found

    world.get_documents_for_role = slow  # type: ignore[method-assign, assignment]
    await accept(services, order(documents=()))
    await work_off(services)
    assert (await sync(services)).stale == [RID]
    await services.close()


async def test_a_job_description_that_comes_after_the_taxonomys_summary_is_linked(
    settings: Settings, world: World
) -> None:
    world.texts.clear()
    world.put("Acme", "Analyst", general_summary=JD)
    services = await pushed_before_any_listing(settings, world)
    world.write("Acme", "Analyst", NEW_JD)
    assert (await sync(services)).stale == [RID]


async def test_a_first_listing_is_recorded_page_by_page_as_time_allows(
    settings: Settings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one of 100,000 roles took a tick longer than a tick may take."""
    monkeypatch.setattr(document_sync, "_PAGE", 1)
    services = world.services(scripted_services(settings))
    for name in ("Analyst", "Baker"):
        world.write("Acme", name, JD)
        await services.graph.put_role("Acme", name)
    found = [await sync(services, seconds=-1) for _ in range(3)]
    assert [(one.recorded, one.waiting) for one in found] == [(1, 1), (1, 0), (0, 0)]
    await services.close()


async def test_a_persons_own_document_is_replaced_only_by_a_later_change(
    settings: Settings, world: World
) -> None:
    """Who pushes with a text of their own means it, also where a source has another one."""
    services = world.services(scripted_services(settings))
    await accept(services, order())
    await work_off(services)
    world.write("Acme", "Analyst", NEW_JD)
    assert (await sync(services)).stale == [], "what was there when the role was pushed"
    world.write("Acme", "Analyst", NEW_JD + "- Order supplies\n")
    assert (await sync(services)).stale == [RID]
    await services.close()
