"""A process of its own that works on a queue: `python -m ... DATA_DIR ROLE push|work NAME N`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from etter_dagster.settings import Settings
from etter_dagster.stores import PushQueue, open_queue
from etter_dagster.stores.protocols import ClaimLimits
from etter_dagster_tests.contract.records import ended, new_push


async def push(queue: PushQueue, name: str, n: int) -> None:
    """Queues pushes one by one; prints each id once it is said to be on disk."""
    for i in range(n):
        new = new_push(f"{name}-{i}", f"company {i % 3}")
        (answer,) = await queue.enqueue([new], capacity=100_000)
        if answer.accepted:
            print(new.push.workflow_id, flush=True)


async def work(queue: PushQueue, name: str, n: int) -> None:
    """Claims and finishes until nothing came for a second; prints what it finished."""
    idle = 0
    while idle < 20:
        claims = await queue.claim(name, n, limits=ClaimLimits(), lease_seconds=30)
        idle = 0 if claims else idle + 1
        for claim in claims:
            await queue.finish(claim.push.workflow_id, claim.token, ended())
            print(claim.push.workflow_id, flush=True)
        if not claims:
            await asyncio.sleep(0.05)


async def main(data_dir: str, act: str, name: str, n: str) -> None:
    queue = open_queue(Settings(data_dir=Path(data_dir)))
    await {"push": push, "work": work}[act](queue, name, int(n))
    await queue.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
