"""Prometheus metrics: requests of this process, and the queue as the store holds it at the scrape.

With several processes set `PROMETHEUS_MULTIPROC_DIR`, and the counts of all are added up. No role,
company or workflow is ever a label.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.responses import Response

from etter_dagster.api.health import UNHEALTHY, Health
from etter_dagster.api.metrics_operation import OperationState, recent_pushes
from etter_dagster.api.metrics_paid import paid_state
from etter_dagster.model.claim_order import LANES
from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.model.push import Push
from etter_dagster.onboarding.listing import count_pushes
from etter_dagster.onboarding.services import Services
from etter_dagster.stores.protocols import PushCounts, PushFilter, QueueCounts, WorkerInfo

_MULTIPROC = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """What one process counts of its requests."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests: Counter | None = None
        self._seconds: Histogram | None = None

    def observe(self, method: str, route: str, status: int, started: float) -> None:
        """Counts a request.

        Args:
            method: Its method.
            route: The route's template, not the path.
            status: What was answered.
            started: `time.perf_counter()` at its start.
        """
        if self._requests is None or self._seconds is None:  # made late: it may open files
            self._requests = Counter(
                "etter_http_requests",
                "REST requests answered",
                ("method", "route", "status"),
                registry=self._registry,
            )
            self._seconds = Histogram(
                "etter_http_request_seconds",
                "Time to answer a REST request",
                ("method", "route"),
                buckets=_BUCKETS,
                registry=self._registry,
            )
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(time.perf_counter() - started)

    async def text(self, services: Services, health: Health) -> Response:
        """The answer to a scrape; what cannot be read now is left out.

        Args:
            services: Whose queue is read.
            health: Says which parts work.
        """
        scrape = CollectorRegistry()
        view = await health.look()
        recent: list[Push] | None = None
        untold: int | None = None
        # A store that hangs is not asked: its time limit is longer than a scraper's.
        if UNHEALTHY not in (view.components["queue"], view.components["graph"]):
            try:
                recent = await recent_pushes(services)
                untold = await services.notices.waiting() if services.notices is not None else 0
                await self._read_queue(services, scrape)
                if (paid := await paid_state(services)) is not None:
                    scrape.register(paid)
            except StoreUnavailable:
                pass  # away since; requests are counted all the same
        capacity = services.settings.queue_capacity
        scrape.register(OperationState(view.components, recent, capacity, untold))
        requests = self._registry
        if _MULTIPROC in os.environ:
            requests = CollectorRegistry()
            MultiProcessCollector(requests)  # type: ignore[no-untyped-call]
        body = generate_latest(requests) + generate_latest(scrape)
        return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _read_queue(self, services: Services, scrape: CollectorRegistry) -> None:
        queue = _QueueState(
            await services.queue.counts(await services.limits_now()),
            await count_pushes(services, PushFilter()),
            await services.queue.workers(),
            services.clock().timestamp(),
        )
        scrape.register(queue)


class _QueueState:
    """What the store said, as metric families."""

    def __init__(
        self, counts: QueueCounts, pushes: PushCounts, workers: list[WorkerInfo], now: float
    ) -> None:
        self._counts = counts
        self._pushes = pushes
        self._workers = workers
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """The families."""
        depth = GaugeMetricFamily("etter_queue_depth", "Pushes that wait", labels=["lane"])
        oldest = GaugeMetricFamily(
            "etter_queue_oldest_seconds", "Age of the oldest waiting push", labels=["lane"]
        )
        for lane in LANES:
            depth.add_metric([lane.value], self._counts.waiting.get(lane, 0))
            since = self._counts.oldest_queued_at.get(lane)
            oldest.add_metric([lane.value], max(0.0, self._now - since.timestamp()) if since else 0)
        yield depth
        yield oldest
        yield GaugeMetricFamily(
            "etter_in_flight", "Pushes that are processed", value=self._counts.in_flight
        )
        yield GaugeMetricFamily(
            "etter_claimable", "Pushes that could be claimed now", value=self._counts.claimable
        )
        yield GaugeMetricFamily(
            "etter_workers", "Processes that claim", value=sum(w.claiming for w in self._workers)
        )
        states = GaugeMetricFamily("etter_pushes", "All known pushes", labels=["state"])
        for state, count in sorted(self._pushes.by_state.items()):
            states.add_metric([state], count)
        yield states
        errors = GaugeMetricFamily("etter_push_errors", "Failed pushes", labels=["code"])
        for code, count in sorted(self._pushes.by_error_code.items()):
            errors.add_metric([code], count)
        yield errors
