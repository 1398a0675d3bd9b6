"""How the queue behaves with very many waiting pushes: `python -m benchmarks.queue_scale [N]`.

Runs over the embedded queue, and over Redis where `redis-server` is on the PATH. For Redis the
longest time that one script kept the server is printed too.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

from etter_dagster.model.claim_order import Lane
from etter_dagster.settings import Settings
from etter_dagster.stores import PushQueue, open_queue
from etter_dagster.stores.protocols import ClaimLimits, NewPush, PushFilter
from etter_dagster_tests.contract.records import ended, new_push
from etter_dagster_tests.servers.redis import redis_server, redis_settings

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


async def timed(what: str, act: Awaitable[T], per: int = 1) -> T:
    """Prints how long an act took."""
    started = time.perf_counter()
    result = await act
    took = time.perf_counter() - started
    each = f" ({took / per * 1e6:8.0f} us each)" if per > 1 else ""
    print(f"  {what:42} {took * 1e3:9.1f} ms{each}")
    return result


async def measure(queue: PushQueue, n: int) -> None:
    """One queue, filled and looked at."""
    ids: list[str] = []
    started = time.perf_counter()
    for first in range(0, n, BATCH):
        batch = pushes(first, BATCH)
        ids += [new.push.workflow_id for new in batch]
        await queue.enqueue(batch, capacity=10_000_000)
    took = time.perf_counter() - started
    print(f"  {f'enqueue {n:,} in batches of {BATCH:,}':42} {took * 1e3:9.1f} ms")
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


async def run(settings: Settings, n: int) -> None:
    """Opens, measures, closes."""
    queue = open_queue(settings)
    try:
        await measure(queue, n)
    finally:
        await queue.close()


def main(n: int) -> None:
    """Both kinds of queue."""
    with tempfile.TemporaryDirectory() as folder:
        embedded = Settings(data_dir=Path(folder), enable_mock_data=False)
        print(f"embedded, {n:,} waiting")
        asyncio.run(run(embedded, n))
        if not shutil.which("redis-server"):
            print("no redis-server here")
            return
        options = {"slowlog_log_slower_than": "0", "slowlog_max_len": "100000"}
        with redis_server(Path(folder) / "redis", **options) as server:
            print(f"Redis, {n:,} waiting")
            asyncio.run(run(redis_settings(server, embedded), n))
            with server.client() as client:
                slowest = max(
                    (e for e in client.slowlog_get(100_000) if e["command"].startswith(b"EVALSHA")),
                    key=lambda e: e["duration"],
                )
                memory = client.info("memory")["used_memory_human"]
            print(f"  {'longest script':42} {slowest['duration'] / 1e3:9.1f} ms")
            print(f"  {'memory of Redis':42} {memory:>9}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
