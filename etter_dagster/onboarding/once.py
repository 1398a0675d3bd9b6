"""A request that is repeated because its answer was lost: what it queued is found, not refused.

The id of a push follows from such a request, so that its repetition names the same push.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from etter_dagster.model.identity import derived_batch_id, derived_workflow_id, new_batch_id
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.onboarding.accept import Accepted
from etter_dagster.onboarding.estimate import estimate_seconds
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import find_pushes

LIFETIME_SECONDS = 24 * 3600.0  # of an idempotency key
# What names a request with an idempotency key: the API key's id, that key, a hash of the request.
Once = tuple[str, ...]


class Names(NamedTuple):
    """What a batch and its pushes are called, by index, and what of that is queued already."""

    batch_id: str
    workflow_ids: Mapping[int, str] = {}
    taken: Mapping[str, Accepted] = {}


async def names_of(services: Services, indexes: Iterable[int], once: Once | None) -> Names:
    """The names of a batch.

    Args:
        services: The queue and the history.
        indexes: Of the entries that may be queued.
        once: Names the request, if it may be repeated; new names otherwise.
    """
    if once is not None:
        ids = {index: derived_workflow_id(*once, str(index)) for index in indexes}
        taken = await taken_before(services, list(ids.values()))
        if taken is not None:
            return Names(derived_batch_id(*once), ids, taken)
    return Names(new_batch_id())


async def taken_before(
    services: Services, workflow_ids: Sequence[str]
) -> dict[str, Accepted] | None:
    """What was queued under these ids, as it stands now; others are absent.

    Args:
        services: The queue and the history.
        workflow_ids: Ids that follow from a request.

    Returns:
        None if the ids belong to a request of long ago whose key counts no more: whoever sends one
        each day with the same key means another push each day, so it must get another id.
    """
    pushes = await find_pushes(services, workflow_ids)
    since = services.clock() - timedelta(seconds=LIFETIME_SECONDS)
    if any(push.queued_at <= since for push in pushes.values()):
        return None
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
