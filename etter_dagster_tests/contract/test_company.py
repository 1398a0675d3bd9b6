"""A company is deleted out of any kind of store, and nothing of another one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from etter_dagster.model.documents import DocumentType
from etter_dagster.model.errors import CompanyAtWork
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.skills import RoleSkill
from etter_dagster.stores import PushQueue, RoleGraph
from etter_dagster.stores.protocols import AuditEntry, Batch, ClaimLimits, PushFilter
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.contract.records import NOW, assessment, document, ended, new_push
from etter_dagster_tests.contract.test_queue_looking import finish

DELETED = AuditEntry(
    at=NOW, actor="cli", created_by="kim", action="company.delete", company_id="Acme", target="Acme"
)


async def fill(graph: RoleGraph, company: str, role_name: str = "Analyst") -> str:
    """A role with all that can hang on it."""
    rid = role_id(company, role_name)
    await graph.put_role(company, role_name, draup_role_name="Data Analyst")
    process = document("how", DocumentType.PROCESS_MAP)
    await graph.link_documents(rid, [document("old"), process])
    await graph.link_documents(rid, [document("new")])
    for n in range(2):
        made = assessment(rid, workflow_id=f"w{n}-{company}", jd_hash=f"{n}")
        await graph.add_assessment(made, current=True)
    await graph.put_skills(rid, [RoleSkill(name="Reporting")])
    await graph.settle_role(rid, RoleStatus.READY, workflow_id=f"w1-{company}", token=3)
    push = new_push(role_name, company, workflow_id=f"w1-{company}").push
    done = push.model_copy(update={"status": WorkflowState.READY, "completed_at": NOW})
    await graph.append_history([done])
    return rid


async def everything(graph: RoleGraph, rid: str, company: str) -> tuple[object, ...]:
    """What is known of a role and its company."""
    return (
        await graph.role(rid),
        await graph.roles(company),
        await graph.count_roles(company),
        await graph.documents(rid),
        await graph.assessments(rid),
        await graph.current_assessment(rid),
        await graph.skills(rid),
        (await graph.list_history(PushFilter(companies=(company,)), cursor=None, limit=9)).items,
        await graph.newest_push(rid),
    )


async def test_all_of_a_company_goes_and_nothing_of_another(graph: RoleGraph) -> None:
    """Also where both share a Draup role and a skill."""
    rid, other = await fill(graph, "Acme"), await fill(graph, "Globex")
    await fill(graph, "Acme", "Baker")
    theirs = await everything(graph, other, "Globex")
    assert await graph.delete_company("Acme", DELETED) == 2
    nothing: tuple[object, ...] = (None, [], 0, [], [], None, [], (), None)
    assert await everything(graph, rid, "Acme") == nothing
    assert await everything(graph, other, "Globex") == theirs
    assert await graph.companies() == ["Globex"]


async def test_the_audit_log_stays_and_says_how_many_roles_went(graph: RoleGraph) -> None:
    """Who asked, when, and of which company is what is left of it."""
    earlier = DELETED.model_copy(update={"action": "push", "target": "w1"})
    await graph.append_audit([earlier])
    await fill(graph, "Acme")
    await graph.delete_company("Acme", DELETED)
    entries, _ = await graph.audit(["Acme"], cursor=None, limit=9)
    assert entries == [DELETED.model_copy(update={"detail": {"roles": 1}}), earlier]


async def test_a_deleted_company_can_begin_anew(graph: RoleGraph) -> None:
    """With no fence of before, and sequences that the sensors have not passed yet."""
    rid = await fill(graph, "Acme")
    before = await graph.role(rid)
    await graph.delete_company("Acme", DELETED)
    again = await graph.put_role("Acme", "Analyst", token=1)
    assert before is not None
    assert again.state is RoleStatus.DRAFT
    assert again.sequence > before.sequence
    await fill(graph, "Acme", "Baker")
    assert await graph.count_roles("Acme") == 2


async def test_to_delete_what_is_not_there_deletes_nothing(graph: RoleGraph) -> None:
    other = await fill(graph, "Globex")
    theirs = await everything(graph, other, "Globex")
    assert await graph.delete_company("Acme", DELETED) == 0
    assert await everything(graph, other, "Globex") == theirs


async def test_pushes_of_a_company_leave_the_queue(queue: PushQueue, clock: Clock) -> None:
    """Waiting, ended and archived ones and batches; another company's keep their order."""
    ours = [new_push(f"r{n}", batch_id="batch-a") for n in range(3)]
    theirs = [new_push(f"r{n}", "Globex", batch_id="batch-b") for n in range(3)]
    archived, over, cancelled = new_push("x"), new_push("y"), new_push("z")
    await finish(queue, archived)
    await queue.archived([archived.push.workflow_id])
    await finish(queue, over)
    their_end = new_push("x", "Globex")
    await finish(queue, their_end)
    await queue.archived([their_end.push.workflow_id])
    mixed = [push for pair in zip(ours, theirs, strict=True) for push in pair]
    await queue.enqueue([*mixed, cancelled], capacity=20)
    await queue.cancel(cancelled.push.workflow_id, now=clock())
    for batch_id, company in (("batch-a", "Acme"), ("batch-b", "Globex")):
        await queue.put_batch(
            Batch(batch_id=batch_id, company_id=company, created_at=NOW, workflow_ids=())
        )
    assert await queue.delete_company("Acme") == 6
    gone = [push.push.workflow_id for push in (*ours, archived, over, cancelled)]
    assert await queue.get_many(gone) == {}
    assert [await queue.request(id_) for id_ in gone] == [None] * 6
    assert await queue.active([push.push.role_id for push in ours]) == {}
    assert await queue.outbox(9) == []
    assert (await queue.list_pushes(PushFilter(), cursor=None, limit=9)).items != ()
    assert (await queue.count_pushes(PushFilter(companies=("Acme",)))).total == 0
    assert await queue.batch("batch-a") is None
    assert await queue.batch("batch-b") is not None
    left = [push.push.workflow_id for push in theirs]
    assert await queue.positions(left) == {id_: n for n, id_ in enumerate(left, start=1)}
    assert await queue.get(their_end.push.workflow_id) is not None
    assert await queue.delete_company("Acme") == 0
    # The company's turn begins anew, and its roles are free.
    await queue.enqueue(ours, capacity=20)
    counts = await queue.counts(ClaimLimits())
    assert (sum(counts.waiting.values()), counts.claimable) == (6, 6)
    claims = await queue.claim("w", 9, limits=ClaimLimits(), lease_seconds=30)
    assert {claim.push.workflow_id for claim in claims} == {*left, *gone[:3]}
    assert (await queue.counts(ClaimLimits())).claimable == 0


async def test_a_company_that_is_worked_on_stays_whole(queue: PushQueue) -> None:
    """Its worker would write what was deleted; another company's worker hinders nothing."""
    held, waiting = new_push("a"), new_push("b")
    claim = await queue.enqueue_claimed(held, worker="w", lease_seconds=30)
    await queue.enqueue([waiting], capacity=9)
    with pytest.raises(CompanyAtWork, match="1 pushes of 'Acme'"):
        await queue.delete_company("Acme")
    assert await queue.get(waiting.push.workflow_id) is not None
    other = new_push("a", "Globex")
    await queue.enqueue_claimed(other, worker="w", lease_seconds=30)
    at = NOW + timedelta(seconds=5)
    await queue.finish(held.push.workflow_id, claim.token, ended(at=at))
    assert await queue.delete_company("Acme") == 2


async def test_more_archived_pushes_go_than_one_step_takes(queue: PushQueue) -> None:
    """Redis goes through them some hundreds at a time."""
    pushes = [new_push(f"r{n}") for n in range(501)]
    await queue.enqueue(pushes, capacity=600)
    for push in pushes:
        await queue.cancel(push.push.workflow_id, now=NOW)
    await queue.archived([push.push.workflow_id for push in pushes])
    assert await queue.delete_company("Acme") == 501
    assert await queue.get_many([push.push.workflow_id for push in pushes]) == {}
