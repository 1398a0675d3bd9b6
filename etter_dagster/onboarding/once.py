"""A request that is repeated because its answer was lost: what it queued is found, not refused.

The id of a push follows from such a request, so that its repetition names the same push.
"""

from __future__ import annotations

from collections.abc import Sequence

from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.onboarding.accept import Accepted
from etter_dagster.onboarding.estimate import estimate_seconds
from etter_dagster.onboarding.services import Services

# What names a request with an idempotency key: the API key's id, that key, a hash of the request.
Once = tuple[str, ...]


async def taken_before(services: Services, workflow_ids: Sequence[str]) -> dict[str, Accepted]:
    """What was queued under these ids, as it stands now; others are absent.

    Args:
        services: The queue, which knows a push for as long as an idempotency key counts.
        workflow_ids: Ids that follow from a request.
    """
    pushes = await services.queue.get_many(workflow_ids)
    waiting = [id_ for id_, push in pushes.items() if push.status is WorkflowState.QUEUED]
    places = await services.queue.positions(waiting) if waiting else {}
    return {
        id_: Accepted(
            workflow_id=id_,
            role_id=push.role_id,
            status=push.status,
            position_in_queue=places.get(id_),
            estimated_duration_seconds=await estimate_seconds(services, push, places.get(id_)),
            message=f"'{push.role_name}' of {push.company_id} was queued by this request before",
        )
        for id_, push in pushes.items()
    }
