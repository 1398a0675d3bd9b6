"""Metrics of what the targets ask for: parts that work, room in the queue, how recent pushes went.

Read from the stores at the scrape, as the work is done by other processes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from prometheus_client.core import GaugeMetricFamily, Metric

from etter_dagster.api.health import HEALTHY
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push
from etter_dagster.onboarding.listing import list_pushes
from etter_dagster.onboarding.services import Services
from etter_dagster.stores.protocols import PushFilter

RECENT = 200
RECENT_FOR = timedelta(hours=1)
QUANTILES = (0.5, 0.9, 0.99)
_DONE = (WorkflowState.READY, WorkflowState.DEGRADED)
_PARTS = ("api", "queue", "graph", "dagster", "assessor")


async def recent_pushes(services: Services) -> list[Push]:
    """The newest pushes that ended, of those that were sent within the last hour.

    Args:
        services: Stores.
    """
    since = services.clock() - RECENT_FOR
    where = PushFilter(states=(*_DONE, WorkflowState.FAILED), since=since)
    found, _ = await list_pushes(services, where, limit=RECENT)
    return found


class OperationState:
    """What was found, as metric families.

    Args:
        components: Of `/health`.
        recent: Pushes that ended lately; None if they could not be read: zero would be a claim.
        capacity: Of the queue.
        untold: Notifications that wait; None if they could not be counted.
    """

    def __init__(
        self,
        components: Mapping[str, str],
        recent: Sequence[Push] | None,
        capacity: int,
        untold: int | None,
    ) -> None:
        self._components = components
        self._recent = recent
        self._capacity = capacity
        self._untold = untold

    def collect(self) -> Iterator[Metric]:
        """The families."""
        up = GaugeMetricFamily(
            "etter_component_up", "Whether a part works, as /health says", labels=["component"]
        )
        for part in _PARTS:
            up.add_metric([part], self._components.get(part) == HEALTHY)
        yield up
        yield GaugeMetricFamily(
            "etter_queue_capacity", "Pushes that may wait at most", value=self._capacity
        )
        if self._untold is not None:
            yield GaugeMetricFamily(
                "etter_notifications_waiting", "Ends that are yet to be told", value=self._untold
            )
        if self._recent is None:
            return
        done = [push for push in self._recent if push.status in _DONE]
        yield GaugeMetricFamily(
            "etter_recent_pushes", "Pushes of the last hour that ended", value=len(self._recent)
        )
        if self._recent:
            yield GaugeMetricFamily(
                "etter_recent_success_ratio",
                "Of these, the share that got ready or degraded",
                value=len(done) / len(self._recent),
            )
            yield GaugeMetricFamily(
                "etter_recent_lost_leases",
                "Of these, attempts that were lost with their worker",
                value=sum(max(0, push.attempts - 1) for push in self._recent),
            )
            yield _retries(self._recent)
        if done:
            yield _quantiles([_seconds(push) for push in done])


def _retries(pushes: Sequence[Push]) -> Metric:
    family = GaugeMetricFamily(
        "etter_recent_step_retries",
        "Of these, attempts at a step after its first",
        labels=["step"],
    )
    retries: Counter[str] = Counter()
    for step in (step for push in pushes for step in push.steps):
        retries[step.name] += step.retries
    for name, number in sorted(retries.items()):
        family.add_metric([name], number)
    return family


def _quantiles(seconds: Sequence[float]) -> Metric:
    family = GaugeMetricFamily(
        "etter_recent_ready_seconds", "From a push to its result", labels=["quantile"]
    )
    ordered = sorted(seconds)
    for quantile in QUANTILES:
        at = min(len(ordered) - 1, int(quantile * len(ordered)))
        family.add_metric([str(quantile)], ordered[at])
    return family


def _seconds(push: Push) -> float:
    ended: datetime = push.completed_at or push.queued_at
    return max(0.0, (ended - push.queued_at).total_seconds())
