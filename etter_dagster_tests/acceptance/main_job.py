"""The whole main job on real servers while they and the workers are killed; used by the test and by
`benchmarks/real_stores.py`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus, WorkflowState
from etter_dagster.model.push import Push
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import find_pushes
from etter_dagster.stores.protocols import ClaimLimits, PushFilter
from etter_dagster_tests.acceptance.dagster_shows import every_role_is_materialized
from etter_dagster_tests.cli.processes import eventually
from etter_dagster_tests.servers.neo4j import Neo4jServer
from etter_dagster_tests.servers.redis import RedisServer
from etter_dagster_tests.servers.stack import stack
from etter_dagster_tests.support import order

COMPANIES = ("Acme", "Beta", "Gamma")


@dataclass
class Course:
    """What happened when, in seconds since the pushes were accepted."""

    roles: int
    events: list[tuple[float, str]] = field(default_factory=list)
    attempts: Counter[int] = field(default_factory=Counter)


def main_job(
    folder: Path,
    redis: RedisServer,
    postgres_url: str,
    neo4j: Neo4jServer,
    *,
    roles: int,
    say: Callable[[str], None] = print,
) -> Course:
    """Onboards roles with two workers, one of them killed, Redis and Neo4j killed and restarted.

    Raises:
        AssertionError: Something was lost, repeated, or the stores disagree.
    """
    course = Course(roles)
    places = max(10, roles // 8)  # so that each worker has roles in work when it is killed
    with stack(
        folder, redis, postgres_url, neo4j, ROLES_PER_RUN=str(places), MAX_RUNS="2"
    ) as running:
        running.daemon()
        first = running.worker(concurrency=1)
        running.worker(concurrency=1)
        ids = running.push([_order(i) for i in range(roles)])
        began = time.monotonic()

        def note(what: str) -> None:
            course.events.append((time.monotonic() - began, what))
            say(f"{course.events[-1][0]:7.1f} s  {what}")

        note(f"{roles} pushes accepted")
        eventually(lambda: running.work(_serving) == 2, "both workers serve", 120, every=0.25)
        running.wait_ready(ids, 0.25)
        running.kill(first)
        note("a worker killed")
        running.worker(concurrency=1)
        running.wait_ready(ids, 0.45)
        redis.restart()
        note("Redis killed and started")
        running.wait_ready(ids, 0.65)
        neo4j.kill()
        note("Neo4j killed")
        neo4j.start()
        note("Neo4j started")
        running.wait_ready(ids)
        note("all ready")
        eventually(lambda: running.work(_nothing_left), "all is in the history", 120, every=0.25)
        course.attempts = running.work(lambda services: _stores_agree(services, ids))
        expected = (role_id(o.company_id, o.role_name) for o in map(_order, range(roles)))
        every_role_is_materialized(running, expected)
        note("all stores agree")
    return course


def _order(number: int):  # type: ignore[no-untyped-def]
    return order(f"role {number}", COMPANIES[number % len(COMPANIES)])


async def _serving(services: Services) -> int:
    return sum(worker.claiming for worker in await services.queue.workers())


async def _nothing_left(services: Services) -> bool:
    counts = await services.queue.counts(ClaimLimits())
    return not (counts.in_flight or counts.waiting or await services.queue.outbox(1))


async def _stores_agree(services: Services, ids: list[str]) -> Counter[int]:
    """The queue, the history and the graph say the same; gives how many pushes took n leases."""
    pushes = await find_pushes(services, ids)
    history = await services.graph.history_of(ids)
    assert set(pushes) == set(history) == set(ids)
    assert {push.status for push in history.values()} == {WorkflowState.READY}
    assert (await services.queue.count_pushes(PushFilter())).total == 0
    for push in history.values():
        await _one_assessment(services, push)
    return Counter(push.attempts for push in history.values())


async def _one_assessment(services: Services, push: Push) -> None:
    role = await services.graph.role(push.role_id)
    assert role is not None
    assert (role.state, role.workflow_id) == (RoleStatus.READY, push.workflow_id)
    made = Counter(a.inputs_hash for a in await services.graph.assessments(push.role_id))
    assert list(made.values()) == [1], f"{push.role_id}: {made}"
