"""What every `RoleGraph` promises: roles, fencing, documents, assessments, history, audit."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from etter_dagster.model.documents import DocumentType
from etter_dagster.model.errors import IllegalMove, LeaseLost, NotFound, ValidationFailed
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import ROLE_MOVES, RoleStatus, WorkflowState
from etter_dagster.model.push import Push
from etter_dagster.model.skills import RoleSkill
from etter_dagster.model.staleness import StaleReason
from etter_dagster.model.taxonomy import TaxonomyEntry
from etter_dagster.stores import RoleGraph
from etter_dagster.stores.protocols import AuditEntry, PushFilter, list_key
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.contract.records import ASSESSOR, NOW, assessment, document, new_push

RID = role_id("Acme", "Analyst")


def entry(title: str, company: str = "Acme", **more: str) -> TaxonomyEntry:
    return TaxonomyEntry.model_validate(
        {"job_id": f"j-{title}", "company_name": company, "job_title": title, **more}
    )


def ended_push(role_name: str = "Analyst", minutes: int = 0, company: str = "Acme") -> Push:
    push = new_push(role_name, company, queued_at=NOW + timedelta(minutes=minutes)).push
    return push.model_copy(update={"status": WorkflowState.READY, "completed_at": NOW})


# -- roles -----------------------------------------------------------------------------
async def test_a_role_is_made_once_and_mended(graph: RoleGraph) -> None:
    first = await graph.put_role("Acme", "Analyst", draup_role_name="Data Analyst")
    assert (first.role_id, first.state) == (RID, RoleStatus.DRAFT)
    again = await graph.put_role("  Acme ", "Analyst", draup_role_id="d-1")
    assert again.sequence == first.sequence
    assert (again.draup_role_id, again.draup_role_name) == ("d-1", "Data Analyst")
    assert await graph.role(RID) == again
    assert await graph.count_roles() == 1


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"draup_role_name": "Chief"}, (None, "Chief")),
        ({"draup_role_id": "d-2"}, ("d-2", None)),
        ({"draup_role_id": "d-2", "draup_role_name": "Chief"}, ("d-2", "Chief")),
        ({"draup_role_id": "d-1"}, ("d-1", "Data Analyst")),
        ({"draup_role_name": "Data  Analyst"}, ("d-1", "Data  Analyst")),
        ({}, ("d-1", "Data Analyst")),
    ],
)
async def test_the_id_and_the_name_of_a_role_are_of_one_draup_role(
    graph: RoleGraph, given: dict[str, Any], stored: tuple[str | None, str | None]
) -> None:
    """Half of another Draup role must not stand beside half of the one before."""
    await graph.put_role("Acme", "Analyst", draup_role_id="d-1", draup_role_name="Data Analyst")
    for _ in range(2):
        role = await graph.put_role("Acme", "Analyst", **given)
        assert (role.draup_role_id, role.draup_role_name) == stored
    assert await graph.role(RID) == role


async def test_racing_makers_make_one_role(graph: RoleGraph) -> None:
    made = await asyncio.gather(*(graph.put_role("Acme", "Analyst") for _ in range(10)))
    assert len({role.sequence for role in made}) == 1


async def test_case_makes_another_role_and_so_do_shifted_names(graph: RoleGraph) -> None:
    for company, name in (("A", "B C"), ("A B", "C"), ("a", "b c")):
        await graph.put_role(company, name)
    assert await graph.count_roles() == 3
    assert await graph.companies() == ["A", "A B", "a"]


async def test_lists_are_ordered_and_continue(graph: RoleGraph) -> None:
    names = ["Zoo Keeper", "analyst", "Ärztin", "Analyst", "A/B & C"]
    for name in names:
        await graph.put_role("Acme", name)
    await graph.put_role("Other", "Analyst")
    rows = await graph.roles("Acme")
    assert [role.role_name for role in rows] == sorted(names)
    after, seen = "", []
    while page := await graph.roles(after=after, limit=2):
        seen += page
        after = list_key(page[-1])
    assert len(seen) == 6
    assert seen == sorted(seen, key=lambda role: (role.role_name, role.role_id))
    assert await graph.roles("Nobody") == []
    assert set(await graph.roles_by_id([RID, "cr-x-x-000000000000"])) == {RID}


async def test_the_taxonomy_makes_drafts_and_mends_what_it_knows(graph: RoleGraph) -> None:
    await graph.put_role("Acme", "Analyst", draup_role_name="Mine")
    entries = [entry("Analyst", draup_role="Theirs"), entry("Clerk", draup_role="Office Clerk")]
    assert await graph.put_taxonomy(entries) == [role_id("Acme", "Clerk")]
    assert await graph.put_taxonomy(entries) == []
    analyst, clerk = await graph.role(RID), await graph.role(role_id("Acme", "Clerk"))
    assert analyst is not None
    assert clerk is not None
    assert (analyst.draup_role_name, analyst.taxonomy) == ("Mine", entries[0])
    assert (clerk.draup_role_name, clerk.state) == ("Office Clerk", RoleStatus.DRAFT)
    changed = entry("Clerk", draup_role="Office Clerk", occupation="Clerks")
    assert await graph.put_taxonomy([changed, changed]) == []
    found = await graph.role(clerk.role_id)
    assert found is not None
    assert found.taxonomy == changed


async def test_a_sensor_follows_new_roles_by_sequence(graph: RoleGraph) -> None:
    await graph.put_taxonomy([entry(f"r{i}") for i in range(5)])
    first = await graph.roles_since(0, limit=3)
    rest = await graph.roles_since(first[-1][0])
    assert len({rid for _, rid in first + rest}) == 5
    await graph.put_role("Acme", "r0", draup_role_id="d")
    assert await graph.roles_since(rest[-1][0]) == []


# -- lifecycle and fencing -------------------------------------------------------------
@pytest.mark.parametrize("target", RoleStatus)
@pytest.mark.parametrize("start", [RoleStatus.DRAFT, RoleStatus.READY, RoleStatus.FAILED])
async def test_a_role_moves_only_by_the_table(
    graph: RoleGraph, start: RoleStatus, target: RoleStatus
) -> None:
    await graph.put_role("Acme", "Analyst")
    if start is not RoleStatus.DRAFT:
        await graph.settle_role(RID, start, workflow_id="w", token=1)
    if target in ROLE_MOVES[start]:
        assert (await graph.move_role(RID, target)).state is target
    else:
        with pytest.raises(IllegalMove):
            await graph.move_role(RID, target)
        role = await graph.role(RID)
        assert role is not None
        assert role.state is start


async def test_of_two_racing_moves_one_wins(graph: RoleGraph) -> None:
    await graph.put_role("Acme", "Analyst")
    await graph.settle_role(RID, RoleStatus.READY, workflow_id="w", token=1)
    results = await asyncio.gather(
        *(graph.move_role(RID, RoleStatus.STALE) for _ in range(5)), return_exceptions=True
    )
    assert [isinstance(r, IllegalMove) for r in results].count(False) == 1


async def test_settling_says_who_and_clears_the_marks(graph: RoleGraph) -> None:
    await graph.put_role("Acme", "Analyst")
    await graph.settle_role(RID, RoleStatus.READY, workflow_id="w1", token=1)
    reason = StaleReason(field="jd_hash", stored="a", required="b")
    assert (await graph.move_role(RID, RoleStatus.STALE, reasons=[reason])).stale_marks == (reason,)
    settled = await graph.settle_role(RID, RoleStatus.DEGRADED, workflow_id="w2", token=2)
    assert (settled.workflow_id, settled.stale_marks) == ("w2", ())
    with pytest.raises(IllegalMove):
        await graph.settle_role(RID, RoleStatus.STALE, workflow_id="w3", token=3)
    with pytest.raises(NotFound):
        await graph.settle_role("cr-x", RoleStatus.READY, workflow_id="w", token=1)


async def test_an_older_token_writes_nothing(graph: RoleGraph) -> None:
    """A worker that slept longer than its lease and wakes up must not undo its successor."""
    await graph.put_role("Acme", "Analyst", token=7)
    before = await graph.role(RID)
    for late in (
        lambda: graph.put_role("Acme", "Analyst", draup_role_name="Late", token=6),
        lambda: graph.settle_role(RID, RoleStatus.FAILED, workflow_id="late", token=6),
        lambda: graph.link_documents(RID, [document("late")], token=6),
        lambda: graph.add_assessment(assessment(RID), current=True, token=6),
        lambda: graph.put_skills(RID, [RoleSkill(name="late")], token=6),
    ):
        with pytest.raises(LeaseLost):
            await late()
    assert await graph.role(RID) == before
    assert await graph.assessments(RID) == []
    assert await graph.documents(RID) == []
    await graph.link_documents(RID, [document("now")], token=7)


# -- documents -------------------------------------------------------------------------
async def test_the_newest_jd_replaces_the_jd_and_others_their_namesake(graph: RoleGraph) -> None:
    await graph.put_role("Acme", "Analyst")
    sop = DocumentType.SOP
    await graph.link_documents(
        RID, [document("v1", sop, "a"), document("v1 of b", sop, "b"), document("JD 1")]
    )
    role = await graph.link_documents(RID, [document("JD 2"), document("v2", sop, "a")])
    assert [d.content for d in await graph.documents(RID)] == ["JD 2", "v1 of b", "v2"]
    assert role.jd_hash == document("JD 2").content_hash
    again = await graph.link_documents(RID, [document("JD   2\n")])
    assert again == role, "an equivalent text is no change"
    back = await graph.link_documents(RID, [document("JD 1")])
    assert back.jd_hash == document("JD 1").content_hash
    assert (await graph.documents(RID))[0].content == "JD 1"


async def test_documents_of_an_unknown_role_are_refused(graph: RoleGraph) -> None:
    with pytest.raises(NotFound):
        await graph.link_documents("cr-x-x-000000000000", [document()])


# -- assessments -----------------------------------------------------------------------
async def test_assessments_are_appended_and_one_is_current(graph: RoleGraph) -> None:
    await graph.put_role("Acme", "Analyst")
    old = assessment(RID)
    new = assessment(
        RID,
        workflow_id="role-onboard-000000000002",
        jd_hash="b",
        at=NOW + timedelta(days=1),
        score=60,
    )
    assert await graph.current_assessment(RID) is None
    await graph.add_assessment(old, current=True)
    await graph.add_assessment(new, current=True)
    assert await graph.assessments(RID) == [new, old]
    assert await graph.current_assessment(RID) == new
    await graph.add_assessment(old, current=True)
    assert await graph.assessments(RID) == [new, old]
    assert await graph.current_assessment(RID) == old
    role = await graph.role(RID)
    assert role is not None
    assert role.current is not None
    assert role.current.final_score == 40
    mock = assessment(RID, workflow_id="role-onboard-000000000003", score=1)
    await graph.add_assessment(mock, current=False)
    assert await graph.current_assessment(RID) == old


async def test_what_is_stored_of_an_assessment_never_changes(graph: RoleGraph) -> None:
    await graph.put_role("Acme", "Analyst")
    first = assessment(RID)
    await graph.add_assessment(first, current=True)
    forged = assessment(RID, score=99)
    assert forged.assessment_id == first.assessment_id
    await graph.add_assessment(forged, current=False)
    assert await graph.assessments(RID) == [first]


async def test_a_finished_assessment_is_found_by_inputs_assessor_and_age(
    graph: RoleGraph,
) -> None:
    await graph.put_role("Acme", "Analyst")
    made = assessment(RID)
    await graph.add_assessment(made, current=True)

    async def found(inputs_hash: str, key: str, days: int) -> bool:
        return (
            await graph.find_assessment(
                RID, inputs_hash, key, not_before=NOW - timedelta(days=days)
            )
            == made
        )

    assert await found(made.inputs_hash, ASSESSOR.key, 0)
    assert not await found("other", ASSESSOR.key, 0)
    assert not await found(made.inputs_hash, "llm/x/1", 0)
    assert not await found(made.inputs_hash, ASSESSOR.key, -1)


async def test_many_roles_are_asked_at_once_for_a_finished_assessment(graph: RoleGraph) -> None:
    """The nightly plan asks so for all that is stale."""
    names = [f"r{i}" for i in range(5)]
    made = []
    for name in names:
        role = await graph.put_role("Acme", name)
        made.append(assessment(role.role_id, workflow_id=f"role-onboard-{name}"))
        await graph.add_assessment(made[-1], current=True)
    wanted = {one.role_id: one.inputs_hash for one in made}
    wanted[made[0].role_id] = "other"
    wanted["cr-x-x-000000000000"] = made[1].inputs_hash
    found = await graph.assessed_before(wanted, ASSESSOR.key, not_before=NOW)
    assert found == {one.role_id for one in made[1:]}
    assert await graph.assessed_before(wanted, "llm/x/1", not_before=NOW) == set()
    later = NOW + timedelta(days=1)
    assert await graph.assessed_before(wanted, ASSESSOR.key, not_before=later) == set()
    assert await graph.assessed_before({}, ASSESSOR.key, not_before=NOW) == set()


async def test_skills_are_replaced_and_ordered(graph: RoleGraph) -> None:
    await graph.put_role("Acme", "Analyst")
    await graph.put_skills(RID, [RoleSkill(name="Old")])
    skills = [
        RoleSkill(name="B", exposure=10),
        RoleSkill(name="C"),
        RoleSkill(name="A", exposure=0),
    ]
    await graph.put_skills(RID, skills)
    assert [skill.name for skill in await graph.skills(RID)] == ["B", "A", "C"]
    assert await graph.skills("cr-x-x-000000000000") == []


# -- history and audit -----------------------------------------------------------------
async def test_history_is_appended_once_and_never_rewritten(graph: RoleGraph) -> None:
    push = ended_push()
    await graph.append_history([push])
    await graph.append_history(
        [push.model_copy(update={"role_name": "Forged"}), ended_push("B", 1)]
    )
    assert (await graph.history_of([push.workflow_id]))[push.workflow_id] == push
    page = await graph.list_history(PushFilter(companies=("Acme",)), cursor=None, limit=1)
    assert [p.role_name for p in page.items] == ["B"]
    rest = await graph.list_history(PushFilter(), cursor=page.next_cursor, limit=5)
    assert (list(rest.items), rest.next_cursor) == ([push], None)
    assert (await graph.count_history(PushFilter())).by_state == {"ready": 2}


async def test_the_newest_push_of_a_role(graph: RoleGraph) -> None:
    assert await graph.newest_push(RID) is None
    newest = ended_push(minutes=5)
    await graph.append_history([newest, ended_push(minutes=1), ended_push("Other", 9)])
    assert await graph.newest_push(RID) == newest


async def test_the_audit_is_newest_first_and_by_company(graph: RoleGraph, clock: Clock) -> None:
    entries = [
        AuditEntry(
            at=clock(), actor="key", action="push", company_id=company, target=f"{company}{i}"
        )
        for i in range(3)
        for company in ("A", "B")
    ]
    await graph.append_audit(entries)
    first, cursor = await graph.audit(["A"], cursor=None, limit=2)
    assert [e.target for e in first] == ["A2", "A1"]
    rest, end = await graph.audit(["A"], cursor=cursor, limit=2)
    assert ([e.target for e in rest], end) == (["A0"], None)
    everything, _ = await graph.audit(None, cursor=None, limit=10)
    assert everything == entries[::-1]
    assert await graph.audit([], cursor=None, limit=10) == ([], None)
    for foreign in ("x", "-1", "9" * 30, "²"):
        with pytest.raises(ValidationFailed):
            await graph.audit(None, cursor=foreign, limit=1)


async def test_ping_answers(graph: RoleGraph) -> None:
    await graph.ping()
