"""How long a push will still take, from measured durations of the same assessor and its place."""

from __future__ import annotations

import math
import time

from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push
from etter_dagster.onboarding.services import Services
from etter_dagster.stores.protocols import Durations

# Seconds, before anything was measured: the built-in model's start of a run; the workflow API's
# median of 8 calls; a guess for an LLM.
FIRST_GUESS = {"exposure": 5.0, "workflow_api": 127.0, "llm": 60.0}
_CACHE_SECONDS = 2.0
_cache: dict[tuple[int, str], tuple[float, Durations]] = {}


async def estimate_seconds(services: Services, push: Push, position: int | None) -> int:
    """Seconds until the push ends; 0 when it has.

    Args:
        services: Queue, settings, clock.
        push: The push.
        position: Its place in the queue, if it waits.
    """
    if push.status.terminal:
        return 0
    # What is only found again waits for no assessor, and is as quick as the built-in one.
    name = push.assessor or services.assessors.mock.info.name
    measured = await _durations(services, name)
    mean = measured.mean_seconds if measured.count else FIRST_GUESS.get(name, 60.0)
    if push.status is WorkflowState.PROCESSING and push.started_at is not None:
        elapsed = (services.clock() - push.started_at).total_seconds()
        return max(1, math.ceil(mean - elapsed))
    before = (position or 1) - 1
    return max(1, math.ceil(mean + _wait_seconds(services, name, before, mean)))


def _wait_seconds(services: Services, assessor: str, before: int, mean: float) -> float:
    """Until so many pushes before one have started, as far as the limits let them."""
    settings, guard = services.settings, services.assessors.guard
    a_run = services.at_once(settings.roles_per_run)
    at_once = max(1, min(settings.max_in_flight, services.most_runs * a_run))
    if guard is None or guard.info.name != assessor:
        return mean * before / at_once
    at_once = min(at_once, settings.assessor_max_concurrent or at_once)
    a_minute = settings.assessor_max_per_minute
    return max(mean * before / at_once, 60.0 * before / a_minute if a_minute else 0.0)


async def _durations(services: Services, assessor: str) -> Durations:
    """Asked at most every two seconds: thousands of watchers ask for the same figure."""
    key = (id(services.queue), assessor)
    now = time.monotonic()
    if key in _cache and now - _cache[key][0] < _CACHE_SECONDS:
        return _cache[key][1]
    found = await services.queue.durations(assessor)
    _cache[key] = (now, found)
    return found
