"""How the queue behaves with very many waiting pushes: `python -m benchmarks.queue_scale [N]`.

Runs over the embedded queue, and over Redis where `redis-server` is on the PATH. For Redis the
longest times that a script kept the server are printed too.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from etter_dagster.model.claim_order import Lane
from etter_dagster.settings import Settings
from etter_dagster.stores import PushQueue, open_queue
from etter_dagster.stores.protocols import ClaimLimits, NewPush, PushFilter
from etter_dagster_tests.contract.records import ended, new_push
from etter_dagster_tests.servers.redis import RedisServer, redis_server

T = TypeVar("T")
LIMITS = ClaimLimits(in_flight=100_000, per_company=100_000)
BATCH = 10_000
TEXT = "Prepare weekly reports on sales for managers. " * 80  # a usual JD: 3.7 kB


def pushes(first: int, n: int) -> list[NewPush]:
    """Bulk pushes of 20 companies."""
    made = [new_push(f"r{i}", f"company {i % 20}", lane=Lane.BULK) for i in range(first, first + n)]
    document = {"type": "job_description", "content": TEXT}
    return [
        NewPush(
            push=new.push,
            request=new.request.model_validate(
                new.request.model_dump() | {"documents": [document]}
            ),
        )
        for new in made
    ]


@dataclass
class Stopwatch:
    """Prints what acts take: on the wall, and of processors, which others' load changes less."""

    server: RedisServer | None = None

    async def __call__(self, what: str, act: Awaitable[T], per: int = 1) -> T:
        """Measures one act that did `per` things."""
        wall, own, servers = time.perf_counter(), time.process_time(), self._servers()
        result = await act
        took = [time.perf_counter() - wall, time.process_time() - own, self._servers() - servers]
        each = f"{took[0] / per * 1e6:10.0f} us each" if per > 1 else ""
        print(f"  {what:32}" + "".join(f"{t * 1e3:11.1f}" for t in took) + each, flush=True)
        return result

    def _servers(self) -> float:
        if self.server is None:
            return 0.0
        with self.server.client() as client:
            cpu = client.info("cpu")
        return float(cpu["used_cpu_user"]) + float(cpu["used_cpu_sys"])


async def measure(queue: PushQueue, n: int, timed: Stopwatch) -> None:
    """One queue, filled and looked at."""
    print(f"  {'':32}{'wall ms':>11}{'own CPU':>11}{'server CPU':>11}")
    ids: list[str] = []
    for first in range(0, n, BATCH):
        batch = pushes(first, BATCH)
        ids += [new.push.workflow_id for new in batch]
        await queue.enqueue(batch, capacity=10_000_000)
    await timed("enqueue 10,000 more", queue.enqueue(pushes(n, BATCH), capacity=10_000_000), BATCH)
    single = new_push("single", "Small")
    await timed("enqueue one", queue.enqueue([single], capacity=10_000_000))
    await timed("place of one", queue.positions(ids[-1:]))
    await timed("places of 10,000", queue.positions(ids[-BATCH:]), BATCH)
    await timed("counts", queue.counts(LIMITS))
    await timed("list, first page", queue.list_pushes(PushFilter(), cursor=None, limit=50))
    rare = PushFilter(q="single")
    await timed("list, one of all by its name", queue.list_pushes(rare, cursor=None, limit=50))
    await timed("count all", queue.count_pushes(PushFilter()))
    claims = await timed("claim 250", queue.claim("w", 250, limits=LIMITS, lease_seconds=600), 250)
    await timed("claim 1", queue.claim("w", 1, limits=LIMITS, lease_seconds=600))
    tokens = {claim.push.workflow_id: claim.token for claim in claims}
    beat = queue.heartbeat("w", tokens, lease_seconds=600, free_places=0, claiming=True)
    await timed("heartbeat of 250", beat)
    finished = asyncio.gather(*(queue.finish(c.push.workflow_id, c.token, ended()) for c in claims))
    await timed("finish 250 at once", finished, len(claims))


async def run(settings: Settings, n: int, timed: Stopwatch) -> None:
    """Opens, measures, closes."""
    queue = open_queue(settings)
    try:
        await measure(queue, n, timed)
    finally:
        await queue.close()


def main(n: int) -> None:
    """Both kinds of queue."""
    with tempfile.TemporaryDirectory() as folder:
        embedded = Settings(data_dir=Path(folder), enable_mock_data=False)
        print(f"embedded, {n:,} waiting")
        asyncio.run(run(embedded, n, Stopwatch()))
        if not shutil.which("redis-server"):
            print("no redis-server here")
            return
        options = {"slowlog_log_slower_than": "0", "slowlog_max_len": "100000"}
        with redis_server(None, **options) as server:
            print(f"Redis, {n:,} waiting")
            asyncio.run(run(server.settings(embedded), n, Stopwatch(server)))
            with server.client() as client:
                took = [
                    entry["duration"] / 1e3
                    for entry in client.slowlog_get(100_000)
                    if entry["command"].startswith(b"EVALSHA")
                ]
                memory = client.info("memory")["used_memory_human"]
            print(f"  longest scripts: {', '.join(f'{ms:.1f}' for ms in sorted(took)[-5:])} ms")
            print(f"  memory of Redis: {memory}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
