"""What is queued, what is refused and what is ready already."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from etter_dagster.model.documents import MAX_DOCUMENT_BYTES, DocumentRef
from etter_dagster.model.errors import (
    AlreadyProcessing,
    ErrorCode,
    EtterError,
    NotFound,
    ValidationFailed,
)
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.push import Source, WorkflowOptions
from etter_dagster.onboarding.accept import Accepted, accept, accept_many, cancel, retry
from etter_dagster.onboarding.roles import define_role, list_roles, role_view
from etter_dagster.onboarding.services import Services, utc_now
from etter_dagster.onboarding.status import status_of
from etter_dagster_tests.support import (
    JD,
    ScriptedAssessor,
    forced,
    order,
    scripted_services,
    work_off,
)


async def test_a_push_is_queued_with_its_place_and_an_estimate(services: Services) -> None:
    first = await accept(services, order("A"))
    second = await accept(services, order("B"))
    assert (first.status, first.position_in_queue) == (WorkflowState.QUEUED, 1)
    assert second.position_in_queue == 2
    assert second.estimated_duration_seconds >= 1
    assert first.role_id == role_id("Acme", "A")


async def test_all_problems_stand_in_one_message(services: Services) -> None:
    with pytest.raises(ValidationFailed) as caught:
        await accept(services, order(documents=(), draup_role_name=None))
    assert [f.field for f in caught.value.fields] == ["documents", "draup_role_name"]
    with pytest.raises(ValidationFailed) as caught:
        await accept(services, order("  ", company_id="a\0b"))
    assert [f.field for f in caught.value.fields] == ["company_id", "role_name"]
    with pytest.raises(ValidationFailed) as caught:
        await accept(services, order("  ", documents=(), draup_role_name=None))
    fields = [f.field for f in caught.value.fields]
    assert fields == ["role_name", "documents", "draup_role_name"]


async def test_an_unknown_role_is_told_the_one_that_was_probably_meant(services: Services) -> None:
    """Only of its own company: names of others are nobody's business."""
    await define_role(services, "Acme", "Data Scientist")
    await define_role(services, "Bolt", "Data Analyst")

    async def fields(name: str) -> dict[str, str]:
        with pytest.raises(ValidationFailed) as caught:
            await accept(services, order(name, documents=(), draup_role_name=None))
        return {problem.field: problem.message for problem in caught.value.fields}

    hint = "'data scientist' is not known; did you mean 'Data Scientist'?"
    assert (await fields("data scientist"))["role_name"] == hint
    assert "did you mean 'Data Scientist'?" in (await fields("Data Sientist"))["role_name"]
    assert "role_name" not in await fields("Data Analyst")
    assert "role_name" not in await fields("Data Scientist")


async def test_of_many_orders_only_case_is_looked_through(services: Services) -> None:
    """Likeness of 10,000 names to as many others would hold up everybody else."""
    await define_role(services, "Acme", "Nurse")
    orders = [order(name, documents=(), draup_role_name=None) for name in ("NURSE", "Nurze")]
    same, near = await accept_many(services, orders)
    assert isinstance(same, ValidationFailed)
    assert isinstance(near, ValidationFailed)
    assert "did you mean 'Nurse'?" in same.message
    assert "did you mean" not in near.message


async def test_a_second_role_by_case_alone_is_made_and_pointed_out(services: Services) -> None:
    """It is another role, as promised; who did not mean that must hear of it."""
    plain = (await accept(services, order("Data Scientist"))).message
    assert plain == "'Data Scientist' of Acme is queued"
    queued = await accept(services, order("data  scientist"))
    assert queued.role_id == role_id("Acme", "data  scientist")
    assert queued.message == (
        "'data  scientist' of Acme is queued; note that 'data  scientist' and 'Data Scientist' "
        "are two roles: case and spaces count"
    )
    assert "note" not in (await accept(services, order("Data Scientist", "Bolt"))).message


async def test_a_company_by_case_alone_is_pointed_out_to_who_may_see_the_other(
    services: Services,
) -> None:
    """Which companies there are is nobody else's business."""
    await accept(services, order("A"))
    assert "note" not in (await accept(services, order("A", "ACME"))).message
    seen = await accept(services, order("B", "acme"), sees=lambda _: True)
    assert "note that 'acme' and 'ACME' are two companies: case and spaces count" in seen.message
    settled = await accept(services, order("B", "Acme"), sees=lambda _: True)
    assert "note" not in settled.message, "it is known by now"


async def test_a_refusal_names_the_company_that_was_probably_meant(services: Services) -> None:
    await define_role(services, "Acme", "Analyst")
    bare = order("Analyst", "acme", documents=(), draup_role_name=None)
    with pytest.raises(ValidationFailed) as caught:
        await accept(services, bare, sees=lambda _: True)
    assert "company_id: 'acme' is not known; did you mean 'Acme'?" in caught.value.message
    with pytest.raises(ValidationFailed) as caught:
        await accept(services, bare)
    assert "did you mean" not in caught.value.message


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 201, "nul\0", "bell\x07", "lone\ud800", "line\nbreak"]
)
async def test_a_hostile_name_is_refused_and_leaves_no_role(services: Services, name: str) -> None:
    with pytest.raises(ValidationFailed):
        await accept(services, order(name))
    assert await services.graph.companies() == []


async def test_a_document_that_is_too_long_is_refused(services: Services) -> None:
    long = DocumentRef(content="é" * (MAX_DOCUMENT_BYTES // 2 + 1))
    with pytest.raises(EtterError) as caught:
        await accept(services, order(documents=(long,)))
    assert caught.value.code is ErrorCode.PAYLOAD_TOO_LARGE
    with pytest.raises(EtterError) as caught:
        await accept(services, order(documents=(DocumentRef(content="x"),) * 21))
    assert caught.value.code is ErrorCode.PAYLOAD_TOO_LARGE


async def test_a_role_in_work_is_answered_with_its_workflow(services: Services) -> None:
    first = await accept(services, order())
    with pytest.raises(AlreadyProcessing) as caught:
        await accept(services, order())
    assert caught.value.workflow_id == first.workflow_id


async def test_the_same_workflow_id_again_is_the_same_push(services: Services) -> None:
    """A caller whose answer was lost derives the id from its idempotency key and asks again."""
    wanted = "role-onboard-0123456789ab"
    first = await accept(services, order(workflow_id=wanted))
    again = await accept(services, order(workflow_id=wanted))
    assert first.workflow_id == again.workflow_id == wanted


async def test_a_bad_role_never_blocks_the_good_ones(services: Services) -> None:
    answers = await accept_many(
        services, [order("A"), order(" "), order("B"), order("A"), order("C", documents=())]
    )
    kinds = [a.code.value if isinstance(a, EtterError) else a.status.value for a in answers]
    assert kinds == [
        "queued", "VALIDATION_ERROR", "queued", "ALREADY_PROCESSING", "VALIDATION_ERROR",
    ]  # fmt: skip


async def test_a_full_queue_refuses_and_creates_no_role(services: Services) -> None:
    small = replace(services, settings=services.settings.model_copy(update={"queue_capacity": 1}))
    await accept(small, order("A"))
    with pytest.raises(EtterError) as caught:
        await accept(small, order("B"))
    assert caught.value.code is ErrorCode.QUEUE_FULL
    assert caught.value.retry_after
    assert await services.graph.role(role_id("Acme", "B")) is None


async def test_a_ready_role_is_answered_ready_and_nothing_is_queued(
    services: Services, assessor: ScriptedAssessor
) -> None:
    first = await accept(services, order())
    await work_off(services)
    again = await accept(services, order())
    by_name = await accept(services, order(documents=(), draup_role_name=None))
    assert again.status is by_name.status is WorkflowState.READY
    assert again.workflow_id == by_name.workflow_id == first.workflow_id
    assert assessor.calls["Analyst"] == 1


async def test_an_id_beside_the_known_draup_role_is_kept_also_of_a_ready_role(
    services: Services,
) -> None:
    """Nothing is queued for it, yet the next push by another id must be told from this one."""
    await accept(services, order(draup_role_name="Data Analyst"))
    await work_off(services)
    for id_ in ("d-1", "d-1"):
        named = order(documents=(), draup_role_name=None, draup_role_id=id_)
        assert (await accept(services, named)).status is WorkflowState.READY
    role = (await services.graph.roles("Acme", after="", limit=1))[0]
    assert (role.draup_role_id, role.draup_role_name) == ("d-1", "Data Analyst")


async def test_another_draup_role_by_its_id_alone_makes_a_ready_role_stale(
    services: Services,
) -> None:
    """Else the push would be answered with the assessment for the one before."""
    await accept(services, order(draup_role_name="Data Analyst", draup_role_id="d-1"))
    await work_off(services)
    other = order(documents=(), draup_role_name=None, draup_role_id="d-2")
    assert (await accept(services, other)).status is WorkflowState.QUEUED
    await work_off(services)
    role = (await services.graph.roles("Acme", after="", limit=1))[0]
    assert (role.state, role.draup_role_id, role.draup_role_name) == (RoleStatus.READY, "d-2", None)
    assert role.inputs_hold


async def test_white_space_is_no_change_but_words_are(services: Services) -> None:
    await accept(services, order())
    await work_off(services)
    same = DocumentRef(content="\ufeff" + JD.replace("\n", "\r\n") + "\n\n")
    assert (await accept(services, order(documents=(same,)))).status is WorkflowState.READY
    other = DocumentRef(content=JD + "- Plan budgets\n")
    assert (await accept(services, order(documents=(other,)))).status is WorkflowState.QUEUED
    stale = await services.graph.role(role_id("Acme", "Analyst"))
    assert stale is not None
    assert stale.state is RoleStatus.STALE
    assert [r.field for r in stale.stale_marks] == ["jd_hash"]


async def test_a_push_that_the_budget_refuses_leaves_a_ready_role_as_it_is(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of what it brought was linked: the role is not stale for it."""
    first = await accept(services, order())
    await work_off(services)

    async def spent(*_: object) -> EtterError:
        return EtterError(ErrorCode.BUDGET_EXCEEDED, "the budget of today is spent")

    monkeypatch.setattr("etter_dagster.onboarding.budget.budget_check", lambda _: spent)
    changed = order(documents=(DocumentRef(content=JD + "\n- Teach the tools to others\n"),))
    with pytest.raises(EtterError) as caught:
        await accept(services, changed)
    assert caught.value.code is ErrorCode.BUDGET_EXCEEDED
    view = await role_view(services, first.role_id)
    assert (view.state, view.stale_reasons) == (RoleStatus.READY, ())


async def test_force_rerun_queues_a_ready_role(
    services: Services, assessor: ScriptedAssessor
) -> None:
    await accept(services, order())
    await work_off(services)
    again = await accept(services, order(options=forced()))
    assert again.status is WorkflowState.QUEUED
    await work_off(services)
    assert assessor.calls["Analyst"] == 2
    assert len(await services.graph.assessments(again.role_id)) == 2


async def test_an_earlier_assessment_of_the_same_inputs_becomes_current_again(
    services: Services, assessor: ScriptedAssessor
) -> None:
    await accept(services, order())
    await work_off(services)
    for text in (JD + "- Plan budgets\n", JD):
        await accept(services, order(documents=(DocumentRef(content=text),)))
        await work_off(services)
    assert assessor.calls["Analyst"] == 2
    view = await role_view(services, role_id("Acme", "Analyst"))
    assert (view.state, view.stale_reasons) == (RoleStatus.READY, ())


async def test_an_old_assessment_is_stale_and_made_anew(
    services: Services, assessor: ScriptedAssessor
) -> None:
    pushed = await accept(services, order())
    await work_off(services)
    later = scripted_services(
        services.settings, assessor, clock=lambda: utc_now() + timedelta(days=31)
    )
    view = await role_view(later, pushed.role_id)
    assert (view.state, [r.field for r in view.stale_reasons]) == (RoleStatus.STALE, ["age"])
    assert (await accept(later, order())).status is WorkflowState.QUEUED
    await work_off(later)
    await later.close()
    assert assessor.calls["Analyst"] == 2


async def test_a_draft_that_fails_the_checks_says_so_until_a_valid_push(
    services: Services,
) -> None:
    await define_role(services, "Acme", "Analyst")
    with pytest.raises(ValidationFailed):
        await accept(services, order(documents=(), draup_role_name=None))
    rid = role_id("Acme", "Analyst")
    assert (await role_view(services, rid)).state is RoleStatus.VALIDATION_ERROR
    await accept(services, order())
    assert (await role_view(services, rid)).state is RoleStatus.QUEUED
    await work_off(services)
    assert (await role_view(services, rid)).state is RoleStatus.READY


async def test_mending_a_role_ends_its_validation_error(services: Services) -> None:
    """Else it looks wrong till somebody pushes it."""
    await define_role(services, "Acme", "Analyst")
    with pytest.raises(ValidationFailed):
        await accept(services, order(documents=(), draup_role_name=None))
    unchanged = await define_role(services, "Acme", "Analyst")
    assert unchanged.state is RoleStatus.VALIDATION_ERROR
    mended = await define_role(services, "Acme", "Analyst", draup_role_name="Data Analyst")
    assert mended.state is RoleStatus.DRAFT


async def test_a_defined_role_is_pushed_by_its_name_alone(services: Services) -> None:
    await define_role(
        services,
        "Acme",
        "Analyst",
        draup_role_name="Data Analyst",
        documents=[DocumentRef(content=JD)],
    )
    pushed = await accept(services, order(documents=(), draup_role_name=None))
    await work_off(services)
    assert (await status_of(services, pushed.workflow_id)).status is WorkflowState.READY


async def test_cancel_takes_a_queued_push_back(services: Services) -> None:
    pushed = await accept(services, order())
    view = await cancel(services, pushed.workflow_id)
    assert (view.status, view.role_state) == (WorkflowState.CANCELLED, RoleStatus.DRAFT)
    with pytest.raises(EtterError) as caught:
        await cancel(services, pushed.workflow_id)
    assert caught.value.code is ErrorCode.NOT_CANCELLABLE
    with pytest.raises(NotFound):
        await cancel(services, "role-onboard-000000000000")


async def test_retry_takes_the_newest_failed_push_only(
    services: Services, assessor: ScriptedAssessor
) -> None:
    from etter_dagster.assessors.protocol import AssessmentFailed

    assessor.script = [AssessmentFailed("no")]
    failed = await accept(services, order())
    with pytest.raises(EtterError) as caught:
        await retry(services, failed.workflow_id, source=Source.REST)
    assert caught.value.code is ErrorCode.NOT_RETRYABLE
    await work_off(services)
    again = await retry(services, failed.workflow_id, source=Source.REST)
    assert again.workflow_id != failed.workflow_id
    with pytest.raises(EtterError) as caught:
        await retry(services, failed.workflow_id, source=Source.REST)
    assert caught.value.code is ErrorCode.NOT_RETRYABLE
    await work_off(services)
    assert (await status_of(services, again.workflow_id)).status is WorkflowState.READY


async def test_a_retry_keeps_what_was_mended_after_the_push(
    services: Services, assessor: ScriptedAssessor
) -> None:
    """What the failed push had linked is no longer what the role is."""
    from etter_dagster.assessors.protocol import AssessmentFailed

    assessor.script = [AssessmentFailed("no")]
    failed = await accept(services, order())
    await work_off(services)
    better = JD + "\n- Teach the tools to others\n"
    await define_role(
        services,
        "Acme",
        "Analyst",
        draup_role_name="Teacher",
        documents=[DocumentRef(content=better)],
    )
    again = await retry(services, failed.workflow_id, source=Source.REST)
    await work_off(services)
    assert (await status_of(services, again.workflow_id)).status is WorkflowState.READY
    (jd,) = await services.graph.documents(failed.role_id)
    role = await services.graph.role(failed.role_id)
    assert "Teach the tools" in jd.content
    assert role is not None
    assert role.draup_role_name == "Teacher"


async def test_an_old_mock_assessment_is_no_answer_to_a_mock_push(settings) -> None:  # type: ignore[no-untyped-def]
    """Age counts for it too, also where a paid one is current."""
    from etter_dagster.model.assessment import AssessorInfo

    paid = ScriptedAssessor(AssessorInfo(name="workflow_api", model="m", version="1"), score=70)
    mock = ScriptedAssessor(score=10)
    services = scripted_services(settings, mock, configured=paid)
    try:
        for use_mock in (True, False):
            await accept(services, order(use_mock=use_mock))
            await work_off(services)
        assert (await accept(services, order(use_mock=True))).status is WorkflowState.READY
        later = replace(services, clock=lambda: utc_now() + timedelta(days=31))
        assert (await accept(later, order(use_mock=True))).status is WorkflowState.QUEUED
    finally:
        await services.close()


@pytest.mark.parametrize("force", [False, True])
async def test_every_retry_is_the_same_request_to_the_assessor(
    services: Services, assessor: ScriptedAssessor, force: bool
) -> None:
    """Of this the Idempotency-Key is made: a retry that had another could be paid for twice."""
    from etter_dagster.assessors.protocol import AssessmentFailed

    assessor.script = [AssessmentFailed("no")] * 2
    first = await accept(services, order(options=WorkflowOptions(force_rerun=force)))
    await work_off(services)
    second = await retry(services, first.workflow_id, source=Source.REST)
    await work_off(services)
    await retry(services, second.workflow_id, source=Source.REST)
    await work_off(services)
    assert [request.origin for request in assessor.requests] == [first.workflow_id] * 3
    assert {request.renew for request in assessor.requests} == {force}


async def test_a_mock_push_never_replaces_a_paid_assessment(settings) -> None:  # type: ignore[no-untyped-def]
    from etter_dagster.model.assessment import AssessorInfo
    from etter_dagster_tests.support import scripted_services

    paid = ScriptedAssessor(AssessorInfo(name="workflow_api", model="m", version="1"), score=70)
    mock = ScriptedAssessor(score=10)
    services = scripted_services(settings, mock, configured=paid)
    try:
        first = await accept(services, order(use_mock=True))
        await work_off(services)
        view = await role_view(services, first.role_id)
        assert (view.state, view.ai_automation_score) == (RoleStatus.STALE, 10)
        assert [r.field for r in view.stale_reasons] == ["assessor"]
        assert (await accept(services, order(use_mock=True))).status is WorkflowState.READY
        assert (await accept(services, order())).status is WorkflowState.QUEUED
        await work_off(services)
        ready = await accept(services, order(use_mock=True))
        assert ready.status is WorkflowState.READY
        view = await role_view(services, first.role_id)
        assert (view.state, view.ai_automation_score) == (RoleStatus.READY, 70)
        assert (paid.calls["Analyst"], mock.calls["Analyst"]) == (1, 1)
    finally:
        await services.close()


async def test_2500_roles_in_one_batch_are_all_queued_in_order(
    services: Services,
) -> None:
    answers = await accept_many(services, [order(f"Role {n}") for n in range(2_500)])
    places = [a.position_in_queue for a in answers if isinstance(a, Accepted)]
    assert places == list(range(1, 2_501))
    rows, total, cursor = await list_roles(services, "Acme", limit=100)
    assert (len(rows), total) == (100, 2_500)
    assert cursor is not None
    rest, _, _ = await list_roles(services, "Acme", cursor=cursor, limit=100)
    assert not {r.role_id for r in rows} & {r.role_id for r in rest}


async def test_a_push_by_name_alone_of_a_role_in_work_names_the_push_at_work(
    services: Services,
) -> None:
    """Its document and Draup role are on their way: asking for them again would mislead."""
    first = await accept(services, order())
    with pytest.raises(AlreadyProcessing) as caught:
        await accept(services, order(documents=(), draup_role_name=None))
    assert caught.value.workflow_id == first.workflow_id
