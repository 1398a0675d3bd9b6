"""The taxonomy into the graph: new, changed, renamed, removed and returning entries."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from etter_dagster.model.documents import DocumentRef, text_hash
from etter_dagster.model.errors import SourceUnavailable
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.model.role import Role
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.onboarding import taxonomy_sync
from etter_dagster.onboarding.accept import accept, accept_many
from etter_dagster.onboarding.new_roles import push_new_roles
from etter_dagster.onboarding.role_setup import linked_documents
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.taxonomy_sync import TaxonomySynced, sync_taxonomy
from etter_dagster.onboarding.tick_time import TickTime
from etter_dagster.sample_data import sample_roles
from etter_dagster.settings import Settings
from etter_dagster_tests.support import JD, order, scripted_services, work_off
from etter_dagster_tests.world import World


async def sync(world: World, services: Services, company: str = "Acme") -> TaxonomySynced:
    return await sync_taxonomy(world.services(services), company, TickTime(60, 60))


async def role(services: Services, name: str = "Analyst") -> Role:
    found = await services.graph.role(role_id("Acme", name))
    assert found is not None
    return found


@pytest.fixture
def world() -> World:
    world = World()
    world.put("Acme", "Analyst")
    world.put("Acme", "Clerk")
    return world


async def test_new_entries_become_drafts_and_nothing_happens_twice(
    settings: Settings, world: World
) -> None:
    services = scripted_services(settings)
    first = await sync(world, services)
    assert set(first.new) == {role_id("Acme", "Analyst"), role_id("Acme", "Clerk")}
    assert (await role(services)).state is RoleStatus.DRAFT
    again = await sync(world, services)
    assert (again.listed, again.new, again.changed, again.removed) == (2, (), (), ())
    await services.close()


async def test_a_changed_mapping_makes_the_assessment_stale_and_says_both_values(
    settings: Settings, world: World
) -> None:
    services = scripted_services(settings)
    await sync(world, services)
    await accept(services, order(draup_role_name=None))
    await work_off(services)
    world.put("Acme", "Analyst", "Data  Analyst ")
    assert (await sync(world, services)).stale == (), "the same mapping, spelt with other space"
    world.put("Acme", "Analyst", "Business Analyst")
    assert (await sync(world, services)).stale == (role_id("Acme", "Analyst"),)
    found = await role(services)
    assert found.state is RoleStatus.STALE
    (reason,) = found.stale_marks
    assert (reason.field, reason.stored, reason.required) == (
        "draup_role",
        "Data Analyst",
        "Business Analyst",
    )
    assert reason.remedy
    await services.close()


async def test_a_mapping_that_changes_while_a_push_waits_is_not_undone_by_it(
    settings: Settings, world: World
) -> None:
    """The push once carried the old mapping along and wrote it back."""
    services = scripted_services(settings)
    await sync(world, services)
    await accept(services, order(draup_role_name=None))
    world.put("Acme", "Analyst", "Business Analyst")
    await sync(world, services)
    await work_off(services)
    found = await role(services)
    assert found.draup_role_name == "Business Analyst"
    assert found.current is not None
    assert found.current.basis.inputs.draup_role == "Business Analyst"
    await services.close()


async def test_a_removed_entry_is_marked_and_comes_back(settings: Settings, world: World) -> None:
    services = scripted_services(settings)
    await sync(world, services)
    await accept(services, order(draup_role_name=None))
    await work_off(services)
    gone = world.entries["Acme"].pop("Analyst")
    assert (await sync(world, services)).removed == (role_id("Acme", "Analyst"),)
    found = await role(services)
    assert found.taxonomy is not None
    assert (found.taxonomy.status, found.state) == ("removed", RoleStatus.READY)
    assert (await sync(world, services)).removed == (), "it is removed once"
    world.entries["Acme"]["Analyst"] = gone
    assert (await sync(world, services)).changed == (role_id("Acme", "Analyst"),)
    assert (await role(services)).taxonomy == gone
    await services.close()


async def test_a_renamed_entry_is_a_new_role_and_the_old_one_is_marked(
    settings: Settings, world: World
) -> None:
    services = scripted_services(settings)
    await sync(world, services)
    old = world.entries["Acme"].pop("Clerk")
    world.entries["Acme"]["Office Clerk"] = old.model_copy(update={"job_title": "Office Clerk"})
    found = await sync(world, services)
    assert found.new == (role_id("Acme", "Office Clerk"),)
    assert found.renamed == {role_id("Acme", "Clerk"): role_id("Acme", "Office Clerk")}
    await services.close()


async def test_a_read_that_fails_removes_nothing(settings: Settings, world: World) -> None:
    services = scripted_services(settings)
    await sync(world, services)
    world.failures["get_roles_for_company"] = SourceUnavailable("away")
    with pytest.raises(SourceUnavailable):
        await sync(world, services)
    found = await role(services)
    assert found.taxonomy is not None
    assert found.taxonomy.status == "active"
    await services.close()


async def test_entries_that_cannot_be_roles_are_named_and_stop_no_others(
    settings: Settings, world: World
) -> None:
    services = scripted_services(settings)
    world.put("Acme", " ")
    world.put("Acme", "a" * 201)
    found = await sync(world, services)
    assert len(found.new) == 2
    assert [line.split(":")[0] for line in found.unusable] == ["Acme/ ", f"Acme/{'a' * 201}"]
    await services.close()


async def test_of_two_entries_for_one_role_the_same_wins_in_any_order(
    settings: Settings, world: World
) -> None:
    """Else the mapping would change at every look."""
    services = scripted_services(settings)
    world.put("Acme", "Analyst ", "Other", job_id="zzz")
    first = await sync(world, services)
    assert first.unusable == ("zzz: has the job_title of Acme/Analyst, which counts",)
    world.entries["Acme"] = dict(reversed(world.entries["Acme"].items()))
    assert (await sync(world, services)).changed == ()
    assert (await role(services)).draup_role_name == "Data Analyst"
    await services.close()


async def test_of_a_job_listed_twice_with_other_data_the_same_wins_in_any_order(
    settings: Settings, world: World
) -> None:
    services = scripted_services(settings)
    world.put("Acme", "Analyst ", "Another", job_id="Acme/Analyst")
    await sync(world, services)
    world.entries["Acme"] = dict(reversed(world.entries["Acme"].items()))
    assert (await sync(world, services)).changed == ()
    await services.close()


def listing(world: World, *readings: Sequence[TaxonomyEntry]) -> None:
    """The world's next readings of Acme's list; the last one stays."""
    left = list(readings)

    def read(company: str, status_filter: str | None = None) -> Sequence[TaxonomyEntry]:
        return left.pop(0) if len(left) > 1 else left[0]

    world.get_roles_for_company = read  # type: ignore[method-assign,assignment]


async def test_what_only_moved_between_two_pages_is_not_removed(
    settings: Settings, world: World
) -> None:
    """One entry went and one came while the pages were read: as many, and one was missed."""
    services = scripted_services(settings)
    await sync(world, services)
    analyst, clerk = world.entries["Acme"].values()
    for readings in ([[analyst], [analyst, clerk]], [[clerk], [analyst]]):
        listing(world, *readings)
        found = await sync(world, services)
        assert found.removed == ()
        assert found.doubtful
        assert {(await role(services, n)).taxonomy.status for n in ("Analyst", "Clerk")} == {  # type: ignore[union-attr]
            "active"
        }
    listing(world, [analyst])
    assert (await sync(world, services)).removed == (role_id("Acme", "Clerk"),)
    await services.close()


async def test_a_list_with_an_entry_twice_removes_nothing(settings: Settings, world: World) -> None:
    """A source that sorts its pages unsteadily gives one entry twice and another one never."""
    services = scripted_services(settings)
    await sync(world, services)
    analyst = world.entries["Acme"]["Analyst"]
    listing(world, [analyst, analyst])
    found = await sync(world, services)
    assert (found.removed, found.doubtful) == ((), (role_id("Acme", "Clerk"),))
    listing(world, [analyst])
    assert (await sync(world, services)).removed == (role_id("Acme", "Clerk"),)
    await services.close()


async def test_a_role_that_was_only_pushed_is_not_removed(settings: Settings, world: World) -> None:
    services = scripted_services(settings)
    await services.graph.put_role("Acme", "Pushed")
    assert role_id("Acme", "Pushed") not in (await sync(world, services)).removed
    await services.close()


# -- the summary as job description ----------------------------------------------------
async def test_a_summary_stands_in_for_the_job_description(settings: Settings) -> None:
    world, services = World(), scripted_services(settings)
    world.put("Acme", "Analyst", general_summary=JD)
    await sync(world, services)
    await push_new_roles(world.services(services), 0)
    await work_off(world.services(services))
    assert (await role(services)).state is RoleStatus.READY
    world.put("Acme", "Analyst", general_summary=JD.replace("\n", " \n"))
    assert (await sync(world, services)).stale == (), "equivalent text is no change"
    world.put("Acme", "Analyst", general_summary=JD + "- Close the books\n")
    assert (await sync(world, services)).stale == (role_id("Acme", "Analyst"),)
    assert [r.field for r in (await role(services)).stale_marks] == ["jd_hash"]
    await services.close()


async def test_a_summary_replaces_no_other_job_description(settings: Settings) -> None:
    world, services = World(), scripted_services(settings)
    world.put("Acme", "Analyst", general_summary="Old summary")
    await sync(world, services)
    await accept(services, order())
    await work_off(services)
    world.put("Acme", "Analyst", general_summary="New summary")
    assert (await sync(world, services)).stale == ()
    await services.close()


async def test_a_summary_is_followed_although_the_first_look_was_cut_off(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tick killed half-way must leave the entry unlike the recorded one, or link the new text."""
    world, services = World(), scripted_services(settings)
    world.put("Acme", "Analyst", general_summary=JD)
    await sync(world, services)
    await push_new_roles(world.services(services), 0)
    await work_off(world.services(services))
    world.put("Acme", "Analyst", general_summary=JD + "- Close the books\n")
    for name in ("link_documents", "put_taxonomy"):
        with monkeypatch.context() as patched:
            patched.setattr(services.graph, name, _killed)
            with pytest.raises(KeyboardInterrupt):
                await sync(world, services)
    await sync(world, services)
    found = await role(services)
    assert found.jd_hash == text_hash(JD + "- Close the books\n")
    await services.close()


async def _killed(*_: object) -> None:
    raise KeyboardInterrupt


# -- pushing new roles -----------------------------------------------------------------
async def test_new_roles_are_pushed_once_they_can_be_assessed(
    settings: Settings, world: World
) -> None:
    services = world.services(scripted_services(settings))
    world.put("Acme", "Unmapped", None, general_summary=JD)
    world.put("Acme", "Clerk", general_summary=JD)
    await sync(world, services)
    first = await push_new_roles(services, 0)
    assert (first.pushed, first.not_assessable, first.last) == (1, 2, 0)
    (push,) = (await services.queue.active([role_id("Acme", "Clerk")])).values()
    assert (push.source.value, push.lane.value) == ("taxonomy", "bulk")
    await services.queue.cancel(push.workflow_id, now=services.clock())
    assert (await push_new_roles(services, 0)).pushed == 0, "what was cancelled stays so"
    world.put("Acme", "Unmapped", "Data Analyst", general_summary=JD)
    await sync(world, services)
    assert (await push_new_roles(services, 0)).pushed == 1
    await services.close()


async def test_roles_that_the_taxonomy_dropped_or_never_had_are_not_pushed(
    settings: Settings, world: World
) -> None:
    services = world.services(scripted_services(settings))
    world.put("Acme", "Clerk", general_summary=JD)
    await sync(world, services)
    del world.entries["Acme"]["Clerk"]
    await sync(world, services)
    await services.graph.put_role("Acme", "Defined", draup_role_name="D")
    assert (await push_new_roles(services, 0)).pushed == 0
    await services.close()


async def test_the_samples_wait_for_a_person_and_a_real_role_of_the_same_name_does_not(
    settings: Settings,
) -> None:
    """The samples bear names of real companies: their own taxonomy lists such roles too."""
    world, services = World(), scripted_services(settings)
    samples = {entry.job_title: entry for entry in sample_roles()}
    sample = samples["Claims Adjuster"].model_copy(update={"general_summary": JD})
    assert samples["Underwriter"].draup_role
    world.entries[sample.company_name] = {
        "Underwriter": samples["Underwriter"],
        "Claims Adjuster": sample.model_copy(update={"job_id": "4711"}),
    }
    await sync(world, services, sample.company_name)
    await services.graph.link_documents(
        role_id(sample.company_name, "Underwriter"),
        linked_documents([DocumentRef(content=JD)], services.clock()),
    )
    assert (await push_new_roles(world.services(services), 0)).pushed == 1
    real = role_id(sample.company_name, "Claims Adjuster")
    assert set(await services.queue.active([real])) == {real}
    await services.close()


# -- checks without a remote call ------------------------------------------------------
async def test_a_batch_is_checked_by_the_catalogue_alone(settings: Settings, world: World) -> None:
    """A batch of 10,000 roles must not ask a remote service 10,000 times."""
    services = world.services(scripted_services(settings))
    world.put("Acme", "Clerk", general_summary=JD)
    await sync(world, services)
    world.calls.clear()
    orders = [
        order(name, documents=(), draup_role_name=None) for name in ("Clerk", "Analyst", "Unknown")
    ]
    answers = await accept_many(services, orders)
    assert [isinstance(answer, Exception) for answer in answers] == [False, True, True]
    assert not world.calls
    await services.close()


async def test_a_single_push_asks_for_what_the_catalogue_lacks(
    settings: Settings, world: World
) -> None:
    services = world.services(scripted_services(settings))
    world.write("Acme", "Analyst", JD)
    accepted = await accept(services, order(documents=(), draup_role_name=None))
    assert accepted.status.value == "queued"
    world.failures["get_role"] = SourceUnavailable("the taxonomy is away", retry_after=7)
    with pytest.raises(SourceUnavailable) as caught:
        await accept(services, order("Clerk", draup_role_name=None))
    assert caught.value.retry_after == 7, "an outage is never a missing Draup role"
    await services.close()


async def test_a_long_list_is_recorded_page_by_page_as_time_allows(
    settings: Settings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first 10,000 roles of a company took a tick on Neo4j longer than a tick may take."""
    monkeypatch.setattr(taxonomy_sync, "_PAGE", 1)
    services = world.services(scripted_services(settings))
    found = [await sync_taxonomy(services, "Acme", TickTime(0, 60)) for _ in range(3)]
    assert [len(one.new) for one in found] == [1, 1, 0]
    assert await services.graph.count_roles("Acme") == 2
    await services.close()
