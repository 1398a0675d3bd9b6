"""The sensor that launches as many serving runs as the waiting work needs.

Level-triggered: it compares what can be claimed now with who is there to claim it, so a lost tick,
run or worker is made good by the next one.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import dagster as dg

from etter_dagster.model.errors import EtterError
from etter_dagster.onboarding.archive import archive, forget_old
from etter_dagster.onboarding.services import Services, open_services
from etter_dagster.orchestration.partitions import add_partitions
from etter_dagster.orchestration.run_tags import KIND_TAG, LANE_TAG, LAUNCH_TAG, SOURCE_TAG
from etter_dagster.orchestration.runless import tell_given_up
from etter_dagster.orchestration.serving_run import know_roles
from etter_dagster.settings import Settings

WAIT_SECONDS = 20.0  # an evaluation may take 60 s
STARTING_SECONDS = 60.0  # a launched run that has not claimed by then is not counted on any more
CLEAN_SECONDS = 5.0  # serving runs archive by themselves; this is for what dead ones left
_PAUSE_SECONDS = 0.05  # between looks while the queue is busy
_ROLES_A_TICK = 50_000
SERVING_TAGS = {KIND_TAG: "serving", SOURCE_TAG: "queue", LANE_TAG: "all"}


@dataclass
class Cursor:
    """What a tick leaves for the next: the last role that has its partition, and launches.

    `launched` maps a worker's name to the time (seconds since 1970) its run was asked for.
    """

    sequence: int = 0
    launched: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> Cursor:
        """From what `write` gave; anything else starts over, which is harmless."""
        try:
            found = json.loads(text or "{}")
            return cls(int(found["sequence"]), {k: float(v) for k, v in found["launched"].items()})
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def write(self) -> str:
        """As text for Dagster."""
        return json.dumps({"sequence": self.sequence, "launched": self.launched})


def runs_to_launch(
    claimable: int, free_places: int, starting: int, serving: int, *, places: int, most: int
) -> int:
    """How many more serving runs the waiting work needs.

    Args:
        claimable: Pushes that could be claimed now under all limits.
        free_places: Of runs that claim.
        starting: Runs launched that have not claimed yet.
        serving: Runs that claim.
        places: Of one run.
        most: Runs at once.
    """
    uncovered = claimable - free_places - starting * places
    return max(0, min(math.ceil(uncovered / places), most - serving - starting))


def build_push_queue_sensor(
    settings: Settings,
    job: dg.UnresolvedAssetJobDefinition,
) -> dg.SensorDefinition:
    """`push_queue_sensor`: keeps the queue served.

    Args:
        settings: Stores and limits.
        job: `onboard_roles`.
    """

    @dg.sensor(
        name="push_queue_sensor",
        job=job,
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Keeps the push queue served: waits for pushes and launches as many serving runs as "
            "they need. Leave it running; while it is off, pushes wait. It also adds the "
            "partitions of new roles."
        ),
    )
    def push_queue_sensor(
        context: dg.SensorEvaluationContext,
    ) -> Iterator[dg.SkipReason | dg.RunRequest]:
        cursor = Cursor.read(context.cursor)
        try:
            names, said = asyncio.run(_tick(settings, context.instance, cursor))
        except EtterError as error:
            names, said = [], f"{error.message}; tries again at the next tick"
        now = time.time()
        cursor.launched |= dict.fromkeys(names, now)
        context.update_cursor(cursor.write())
        if not names:
            yield dg.SkipReason(said)
        for name in names:
            yield dg.RunRequest(run_key=name, tags={**SERVING_TAGS, LAUNCH_TAG: name})

    return push_queue_sensor


async def _tick(
    settings: Settings, instance: dg.DagsterInstance, cursor: Cursor
) -> tuple[list[str], str]:
    """Waits until runs are needed; gives the names of their workers, or why there are none."""
    services = open_services(settings)
    try:
        await know_roles(services)
        await _clean_up(services, instance)
        deadline = time.monotonic() + WAIT_SECONDS
        changed = 0
        while True:
            changed = await services.queue.wait_changed(changed, 0.0)
            await _add_partitions(services, instance, cursor)
            missing, said = await _missing_runs(services, instance, cursor)
            left = deadline - time.monotonic()
            if missing or left <= 0:
                return [f"serving-{uuid.uuid4().hex[:16]}" for _ in range(missing)], said
            await services.queue.wait_changed(changed, min(left, 1.0))
            await asyncio.sleep(_PAUSE_SECONDS)
    finally:
        await services.close()


async def _clean_up(services: Services, instance: dg.DagsterInstance) -> None:
    """What workers that died left behind; what is left of that is for the next tick."""
    deadline = time.monotonic() + CLEAN_SECONDS
    while await archive(services, tell=tell_given_up(instance)) and time.monotonic() < deadline:
        pass
    await forget_old(services)


async def _add_partitions(services: Services, instance: dg.DagsterInstance, cursor: Cursor) -> None:
    new = await services.graph.roles_since(cursor.sequence, limit=_ROLES_A_TICK)
    if new:
        await asyncio.to_thread(add_partitions, instance, [role_id for _, role_id in new])
        cursor.sequence = new[-1][0]


async def _missing_runs(
    services: Services, instance: dg.DagsterInstance, cursor: Cursor
) -> tuple[int, str]:
    settings = services.settings
    alive_since = services.clock() - timedelta(seconds=settings.lease_seconds)
    workers = [w for w in await services.queue.workers() if w.seen_at >= alive_since]
    for worker in workers:
        cursor.launched.pop(worker.worker, None)
    counts = await services.queue.counts(await services.limits_now())
    if counts.claimable:
        await asyncio.to_thread(_forget_ended, instance, cursor)
    serving = [worker for worker in workers if worker.claiming]
    free = sum(worker.free_places for worker in serving)
    missing = runs_to_launch(
        counts.claimable,
        free,
        len(cursor.launched),
        len(serving),
        places=settings.roles_per_run,
        most=services.most_runs,
    )
    waiting = sum(counts.waiting.values())
    return missing, (
        f"{waiting} waiting, {counts.in_flight} in work, {len(serving)} runs serving with {free} "
        f"free places, {len(cursor.launched)} starting"
    )


def _forget_ended(instance: dg.DagsterInstance, cursor: Cursor) -> None:
    """Launched runs that ended before they claimed, or never came, are not waited for."""
    now = time.time()
    for name, launched in list(cursor.launched.items()):
        runs = instance.get_runs(dg.RunsFilter(tags={LAUNCH_TAG: name}), limit=1)
        waits = bool(runs) and runs[0].status in (
            dg.DagsterRunStatus.QUEUED,
            dg.DagsterRunStatus.NOT_STARTED,
        )
        ended = bool(runs) and runs[0].is_finished
        if ended or (not waits and now - launched > STARTING_SECONDS):
            del cursor.launched[name]
