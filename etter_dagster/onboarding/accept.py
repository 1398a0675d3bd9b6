"""The one door in: every producer hands its orders here; what passes the checks is queued.

Also the two things one may do to a push afterwards: retry it and cancel it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict

from etter_dagster.model.assessment import AssessmentInputs, AssessorInfo
from etter_dagster.model.claim_order import Lane
from etter_dagster.model.errors import (
    AlreadyProcessing,
    ErrorCode,
    EtterError,
    FieldProblem,
    IllegalMove,
    NotFound,
    ValidationFailed,
)
from etter_dagster.model.identity import new_workflow_id, normalize_name
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.push import (
    LANE_OF,
    Push,
    Source,
    StepRecord,
    StepStatus,
    WorkflowOptions,
)
from etter_dagster.model.role import Role
from etter_dagster.model.staleness import StaleReason, basis_of, stale_reasons
from etter_dagster.onboarding.archive import archive
from etter_dagster.onboarding.budget import Toll, tolls
from etter_dagster.onboarding.check import AT_ONCE, Checked, PushOrder, Refused, check
from etter_dagster.onboarding.estimate import estimate_seconds
from etter_dagster.onboarding.hinting import nearly_the_same, with_company_hint
from etter_dagster.onboarding.mock import is_mock_beside_paid
from etter_dagster.onboarding.restoring import inputs_after, mapping_after_push
from etter_dagster.onboarding.role_setup import RoleSetup
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.stale import reasons_now
from etter_dagster.onboarding.status import StatusView, find_push, status_of
from etter_dagster.stores.protocols import Enqueued, NewPush

_WRITES_AT_ONCE = 200


class Accepted(BaseModel):
    """What a producer is told of an order that passed: queued, or ready as it is."""

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    role_id: str
    status: WorkflowState
    position_in_queue: int | None = None
    estimated_duration_seconds: int = 0
    message: str


def nobody(_: str) -> bool:
    """Sees no company by which another could be told."""
    return False


async def accept(
    services: Services, order: PushOrder, *, sees: Callable[[str], bool] = nobody
) -> Accepted:
    """Checks one order and queues it.

    Args:
        services: Stores and sources.
        order: What is asked for.
        sees: Whether a company is the caller's, so that its name may be told.

    Raises:
        EtterError: As the contract's table of errors says; nothing was queued.
    """
    answer = (await _accept(services, [order], ask_sources=True))[0]
    company, role_name = normalize_name(order.company_id), normalize_name(order.role_name)
    if isinstance(answer, EtterError):
        raise await with_company_hint(services, answer, company, sees)
    if answer.status is WorkflowState.QUEUED:
        note = await nearly_the_same(services, [(company, role_name)], sees)
        if note:
            return answer.model_copy(update={"message": f"{answer.message}; {note}"})
    return answer


async def accept_many(
    services: Services, orders: Sequence[PushOrder]
) -> list[Accepted | EtterError]:
    """The same for many: one answer an order, in their order; a bad one never blocks a good one.

    Two orders of one role: the first is taken, the second gets `ALREADY_PROCESSING`.
    """
    return await _accept(services, orders, ask_sources=False)


async def retry(
    services: Services,
    workflow_id: str,
    *,
    source: Source,
    created_by: str | None = None,
    options: WorkflowOptions | None = None,
) -> Accepted:
    """Queues a failed or degraded push's role again, with what was given or linked before.

    Raises:
        NotFound: Unknown id.
        EtterError: `NOT_RETRYABLE` unless it is the role's newest push and failed or degraded.
    """
    push = await find_push(services, workflow_id)
    if push is None:
        raise NotFound(workflow_id, "look the push up with GET /history/{company_id}")
    await _refuse_unless_newest(services, push)
    # What it has linked is the role's, and may have been mended since: it is not linked again.
    linked = any(s.name == RoleSetup.name and s.status is StepStatus.COMPLETED for s in push.steps)
    request = None if linked else await services.queue.request(workflow_id)
    return await accept(
        services,
        PushOrder(
            company_id=push.company_id,
            role_name=push.role_name,
            documents=request.documents if request else (),
            draup_role_id=request.draup_role_id if request else None,
            draup_role_name=request.draup_role_name if request else None,
            options=options or push.options,
            use_mock=push.use_mock,
            source=source,
            created_by=created_by,
            batch_id=push.batch_id,
            retry_of=workflow_id,
        ),
    )


async def cancel(services: Services, workflow_id: str) -> StatusView:
    """Cancels a queued push; its role is in its settled state again.

    Raises:
        NotFound: Unknown id.
        EtterError: `NOT_CANCELLABLE` while processing or terminal.
    """
    try:
        await services.queue.cancel(workflow_id, now=services.clock())
    except IllegalMove as error:
        raise EtterError(
            ErrorCode.NOT_CANCELLABLE,
            f"{workflow_id} is {error.current}; only a queued push can be cancelled",
        ) from error
    except NotFound:
        ended = await find_push(services, workflow_id)
        if ended is None:
            raise
        raise EtterError(
            ErrorCode.NOT_CANCELLABLE, f"{workflow_id} has ended: {ended.status.value}"
        ) from None
    await archive(services)
    return await status_of(services, workflow_id)


async def _refuse_unless_newest(services: Services, push: Push) -> None:
    if push.status not in (WorkflowState.FAILED, WorkflowState.DEGRADED):
        raise EtterError(
            ErrorCode.NOT_RETRYABLE,
            f"{push.workflow_id} is {push.status.value}; only a failed or degraded push is retried",
        )
    active = await services.queue.active([push.role_id])
    newest = active.get(push.role_id) or await services.graph.newest_push(push.role_id)
    if newest is not None and newest.queued_at > push.queued_at:
        raise EtterError(
            ErrorCode.NOT_RETRYABLE,
            f"{push.workflow_id} is not the role's newest push: {newest.workflow_id} is",
            detail={"workflow_id": newest.workflow_id},
        )


async def _accept(
    services: Services, orders: Sequence[PushOrder], *, ask_sources: bool
) -> list[Accepted | EtterError]:
    verdicts = await check(services, orders, ask_sources=ask_sources)
    answers: list[Accepted | EtterError | None] = [None] * len(verdicts)
    passed: list[tuple[int, Checked]] = []
    for index, verdict in enumerate(verdicts):
        if index % AT_ONCE == 0:
            await asyncio.sleep(0)  # as in `check`
        if isinstance(verdict, Refused):
            await _note_refusal(services, verdict)
            answers[index] = verdict.error
        elif (ready := await ready_push(services, verdict)) is not None:
            await _add_to_mapping(services, verdict)
            answers[index] = Accepted(
                workflow_id=ready,
                role_id=verdict.request.role_id,
                status=WorkflowState.READY,
                message="the role is ready and its assessment is up to date; nothing was queued",
            )
        else:
            passed.append((index, verdict))
    queueing: list[tuple[int, NewPush, Role | None]] = []
    paying = await tolls(services, [checked for _, checked in passed])
    for (index, checked), toll in zip(passed, paying, strict=True):
        if isinstance(toll, EtterError):
            answers[index] = toll
        else:
            await mark_changed(services, checked)
            queueing.append((index, new_push(services, checked, toll), checked.role))
    new = [push for _, push, _ in queueing]
    enqueued = (
        await services.queue.enqueue(new, capacity=services.settings.queue_capacity) if new else []
    )
    await _put_roles(services, queueing, enqueued)
    taken = [
        push.push.workflow_id for push, result in zip(new, enqueued, strict=True) if result.accepted
    ]
    places = await services.queue.positions(taken) if taken else {}
    for (index, push, _), result in zip(queueing, enqueued, strict=True):
        answers[index] = await _answer(services, push.push, result, places)
    return [answer for answer in answers if answer is not None]


def new_push(services: Services, checked: Checked, toll: Toll = Toll.ASSESSES) -> NewPush:
    """The push of an order that passed; one that only restores waits for no assessor."""
    assessor = services.assessors.for_push(checked.order.use_mock).info.name
    order, request = checked.order, checked.request
    return NewPush(
        push=Push(
            workflow_id=order.workflow_id or new_workflow_id(),
            role_id=request.role_id,
            company_id=request.company_id,
            role_name=request.role_name,
            source=order.source,
            lane=order.lane or LANE_OF.get(order.source, Lane.INTERACTIVE),
            created_by=order.created_by,
            batch_id=order.batch_id,
            retry_of=order.retry_of,
            options=order.options,
            use_mock=order.use_mock,
            assessor=None if toll is Toll.RESTORES else assessor,
            steps=tuple(StepRecord(name=step.name) for step in services.steps),
            queued_at=services.clock(),
        ),
        request=request,
    )


async def ready_push(services: Services, checked: Checked) -> str | None:
    """The workflow id of the push that made the role ready, if nothing needs to be done."""
    role = checked.role
    if role is None or not _is_ready(checked):
        return None
    if not _changes(services, checked, role):
        return role.workflow_id
    if is_mock_beside_paid(services, role, checked.order.use_mock):
        assessor = services.assessors.for_push(True).info
        return await _ready_mock(services, role, inputs_after(checked, role), assessor)
    return None


async def _add_to_mapping(services: Services, checked: Checked) -> None:
    """Keeps what a push of a ready role adds to its Draup role: the id beside the known name."""
    role, request = checked.role, checked.request
    if role is None:
        return
    mapped = role.model_copy(update=mapping_after_push(checked, role))
    if mapped != role and mapped.inputs == role.inputs:
        await services.graph.put_role(
            role.company_id,
            role.role_name,
            draup_role_id=request.draup_role_id,
            draup_role_name=request.draup_role_name,
        )


async def mark_changed(services: Services, checked: Checked) -> None:
    """A ready role whose inputs or assessor an order changes is stale before it is queued."""
    role = checked.role
    if role is None or not _is_ready(checked):
        return
    if is_mock_beside_paid(services, role, checked.order.use_mock):
        return
    if reasons := _changes(services, checked, role):
        await _mark_stale(services, role, reasons)


def _is_ready(checked: Checked) -> bool:
    role = checked.role
    forced = checked.order.options.force_rerun
    return bool(role and role.current and role.state is RoleStatus.READY and not forced)


def _changes(services: Services, checked: Checked, role: Role) -> tuple[StaleReason, ...]:
    return reasons_now(
        services,
        role,
        inputs=inputs_after(checked, role),
        assessor=services.assessors.for_push(checked.order.use_mock).info,
    )


async def _ready_mock(
    services: Services, role: Role, inputs: AssessmentInputs, assessor: AssessorInfo
) -> str | None:
    """A mock push compares with mock assessments only, also where a paid one is current."""
    for assessment in await services.graph.assessments(role.role_id):
        reasons = stale_reasons(
            basis_of(assessment),
            inputs=inputs,
            assessor=assessor,
            now=services.clock(),
            max_age_days=services.settings.max_assessment_age_days,
        )
        if not reasons:
            return assessment.workflow_id
    return None


async def _mark_stale(services: Services, role: Role, reasons: Sequence[StaleReason]) -> None:
    # Another push or sensor may have moved it meanwhile; queueing decides.
    with contextlib.suppress(IllegalMove):
        await services.graph.move_role(role.role_id, RoleStatus.STALE, reasons=reasons)


async def _note_refusal(services: Services, refused: Refused) -> None:
    """A known draft that fails the checks says so; a role that was ever assessed stays as it is."""
    if (
        refused.role is not None
        and refused.role.state is RoleStatus.DRAFT
        and isinstance(refused.error, ValidationFailed)
    ):
        reason = StaleReason(field="push", stored=None, required=refused.error.message)
        with contextlib.suppress(IllegalMove):
            await services.graph.move_role(
                refused.role.role_id, RoleStatus.VALIDATION_ERROR, reasons=[reason]
            )


async def _put_roles(
    services: Services,
    queueing: Sequence[tuple[int, NewPush, Role | None]],
    enqueued: Sequence[Enqueued],
) -> None:
    """Roles of queued pushes exist at once; a validation error is over."""

    async def put(push: Push, role: Role | None) -> None:
        if role is None:
            await services.graph.put_role(push.company_id, push.role_name)
        elif role.state is RoleStatus.VALIDATION_ERROR:
            await services.graph.move_role(role.role_id, RoleStatus.DRAFT)

    work = [
        (new.push, role)
        for (_, new, role), result in zip(queueing, enqueued, strict=True)
        if result.accepted and (role is None or role.state is RoleStatus.VALIDATION_ERROR)
    ]
    for start in range(0, len(work), _WRITES_AT_ONCE):
        await asyncio.gather(*(put(*item) for item in work[start : start + _WRITES_AT_ONCE]))


async def _answer(
    services: Services, push: Push, result: Enqueued, places: dict[str, int]
) -> Accepted | EtterError:
    if result.active is not None:
        return AlreadyProcessing(push.role_name, result.active)
    if result.full:
        return EtterError(
            ErrorCode.QUEUE_FULL,
            f"the queue holds its {services.settings.queue_capacity} pushes; try again later",
            retry_after=30,
            fields=[FieldProblem("queue", "wait, or raise ETTER_QUEUE_CAPACITY")],
        )
    place = places.get(push.workflow_id)
    return Accepted(
        workflow_id=push.workflow_id,
        role_id=push.role_id,
        status=WorkflowState.QUEUED,
        position_in_queue=place,
        estimated_duration_seconds=await estimate_seconds(services, push, place),
        message=f"'{push.role_name}' of {push.company_id} is queued",
    )
