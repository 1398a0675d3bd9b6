"""How long a single push takes while another company pushes 10,000 at once:
`python -m benchmarks.flood [PUSHES [ROLES_PER_RUN]]`. On Redis, PostgreSQL and a Celery worker.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.onboarding.accept import accept, accept_many
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import find_push
from etter_dagster.stores.protocols import ClaimLimits
from etter_dagster_tests.cli.processes import eventually
from etter_dagster_tests.servers.postgres import postgres_server
from etter_dagster_tests.servers.redis import redis_server
from etter_dagster_tests.servers.stack import Stack, stack
from etter_dagster_tests.support import order

IDLE, UNDER_FLOOD = 5, 8
SETTINGS = {"LINGER_SECONDS": "1", "LEASE_SECONDS": "30", "MAX_RUNS": "2"}


async def single(services: Services, number: int) -> float:
    """Seconds from a push till its role is ready."""
    began = time.perf_counter()
    pushed = await accept(services, order(f"single {number}", "Small"))
    changed = 0
    while True:
        changed = await services.queue.wait_changed(changed, 0.0)
        push = await find_push(services, pushed.workflow_id)
        if push is not None and push.status.terminal:
            assert push.status is WorkflowState.READY, push.error
            return time.perf_counter() - began
        await services.queue.wait_changed(changed, 1.0)


def idle(running: Stack) -> list[float]:
    """Single pushes to a system that has nothing to do: no run is there, one must be launched."""
    took = []
    for number in range(IDLE):
        eventually(lambda: not running.work(_workers), "no run serves", 120)
        took.append(running.work(partial(single, number=number)))
    return took


async def _workers(services: Services) -> int:
    return len([w for w in await services.queue.workers() if w.claiming])


async def _waiting(services: Services) -> int:
    return sum((await services.queue.counts(ClaimLimits())).waiting.values())


def flooded(running: Stack, pushes: int) -> list[float]:
    """Single pushes from the moment the flood begins; it takes the same lane as they do."""

    async def flood(services: Services) -> None:
        orders = [order(f"flood {i}", "Flood") for i in range(pushes)]
        await accept_many(services, orders)

    flooding = threading.Thread(target=lambda: running.work(flood))
    flooding.start()
    eventually(lambda: running.work(_waiting) > 100, "the flood has begun", 120)
    took = []
    for number in range(UNDER_FLOOD):
        took.append(running.work(partial(single, number=1000 + number)))
        print(f"  {took[-1]:.2f} s, {running.work(_waiting)} others waiting", flush=True)
        assert running.work(_waiting), "the flood was over too soon"
    flooding.join()
    return took


def main(pushes: int, places: str) -> None:
    """Prints both, and their relation."""
    with (
        tempfile.TemporaryDirectory() as folder,
        redis_server() as redis,
        postgres_server() as postgres,
        stack(Path(folder), redis, postgres.url, None, ROLES_PER_RUN=places, **SETTINGS) as running,
    ):
        running.daemon()
        running.worker(concurrency=3)
        running.wait_ready(running.push([order("first", "Small")]))
        calm = idle(running)
        print(
            f"idle:        median {statistics.median(calm):.2f} s, longest {max(calm):.2f} s",
            flush=True,
        )
        busy = flooded(running, pushes)
        print(f"under flood: median {statistics.median(busy):.2f} s, longest {max(busy):.2f} s")
        print(f"factor of the medians: {statistics.median(busy) / statistics.median(calm):.2f}")


if __name__ == "__main__":
    arguments = dict(enumerate(sys.argv[1:]))
    main(int(arguments.get(0, "10000")), arguments.get(1, "20"))
