"""The status of a push as every surface shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from etter_dagster.model.errors import NotFound
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState, shown_state
from etter_dagster.model.push import ProgressInfo, Push, PushError
from etter_dagster.model.role import Role
from etter_dagster.onboarding.estimate import estimate_seconds
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.stale import settled_state


class StatusView(BaseModel):
    """The body of `GET /status/{workflow_id}`."""

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    role_id: str
    company_id: str
    role_name: str
    status: WorkflowState
    role_state: RoleStatus
    current_step: str | None
    progress: ProgressInfo
    queued_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    position_in_queue: int | None
    estimated_duration_seconds: int
    dashboard_url: str | None
    attempts: int
    error: PushError | None


async def find_push(services: Services, workflow_id: str) -> Push | None:
    """A push from the queue, else from the history."""
    return (await find_pushes(services, [workflow_id])).get(workflow_id)


async def find_pushes(services: Services, workflow_ids: Sequence[str]) -> dict[str, Push]:
    """The same for many; unknown ids are absent."""
    found = await services.queue.get_many(workflow_ids)
    missing = [wid for wid in workflow_ids if wid not in found]
    return {**found, **(await services.graph.history_of(missing))} if missing else found


async def status_of(services: Services, workflow_id: str) -> StatusView:
    """The status of one push, also long after its end.

    Raises:
        NotFound: Unknown id.
    """
    views = await statuses_of(services, [workflow_id])
    if workflow_id not in views:
        raise NotFound(workflow_id, "check the id: it was in the answer to the push")
    return views[workflow_id]


async def statuses_of(services: Services, workflow_ids: Sequence[str]) -> dict[str, StatusView]:
    """The status of many pushes with few reads; unknown ids are absent."""
    pushes = await find_pushes(services, workflow_ids)
    queued = [wid for wid, push in pushes.items() if push.status is WorkflowState.QUEUED]
    places = await services.queue.positions(queued) if queued else {}
    role_ids = list({push.role_id for push in pushes.values()})
    roles = await services.graph.roles_by_id(role_ids)
    active = await services.queue.active(role_ids)
    return {
        wid: await _view(
            services,
            push,
            roles.get(push.role_id),
            active.get(push.role_id),
            places.get(wid),
        )
        for wid, push in pushes.items()
    }


async def _view(
    services: Services, push: Push, role: Role | None, active: Push | None, place: int | None
) -> StatusView:
    settled = settled_state(services, role)[0] if role else RoleStatus.DRAFT
    has_page = push.status in (WorkflowState.READY, WorkflowState.DEGRADED)
    processing = push.status is WorkflowState.PROCESSING
    return StatusView(
        workflow_id=push.workflow_id,
        role_id=push.role_id,
        company_id=push.company_id,
        role_name=push.role_name,
        status=push.status,
        role_state=shown_state(settled, active.status if active else None),
        current_step=push.current_step if processing else None,
        progress=push.progress,
        queued_at=push.queued_at,
        started_at=push.started_at,
        completed_at=push.completed_at,
        position_in_queue=place if push.status is WorkflowState.QUEUED else None,
        estimated_duration_seconds=await estimate_seconds(services, push, place),
        dashboard_url=services.settings.dashboard_url(push.company_id, push.role_id)
        if has_page
        else None,
        attempts=push.attempts,
        error=push.error,
    )
