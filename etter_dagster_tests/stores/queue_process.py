"""A process of its own that works on a queue: `python -m ... push|work|sleep NAME N`.

The queue is that of the environment.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable

from etter_dagster.model.errors import LeaseLost
from etter_dagster.settings import Settings
from etter_dagster.stores import PushQueue, open_queue
from etter_dagster.stores.protocols import ClaimLimits
from etter_dagster_tests.contract.records import ended, new_push

LEASE = 30.0


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
        claims = await queue.claim(name, n, limits=ClaimLimits(), lease_seconds=LEASE)
        idle = 0 if claims else idle + 1
        for claim in claims:
            await queue.finish(claim.push.workflow_id, claim.token, ended())
            print(claim.push.workflow_id, flush=True)
        if not claims:
            await asyncio.sleep(0.05)


async def sleep(queue: PushQueue, name: str, n: int) -> None:
    """Claims, prints what it holds, stops; woken up, prints which of its writes are refused."""
    (claim,) = await queue.claim(name, n, limits=ClaimLimits(), lease_seconds=LEASE)
    workflow_id, token = claim.push.workflow_id, claim.token
    print(workflow_id, flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
    writes: dict[str, Callable[[], Awaitable[object]]] = {
        "progress": lambda: queue.progress(workflow_id, token, steps=(), current_step=None),
        "finish": lambda: queue.finish(workflow_id, token, ended()),
        "give_back": lambda: queue.give_back(workflow_id, token),
    }
    for what, write in writes.items():
        try:
            await write()
        except LeaseLost:
            print(what, flush=True)


ACTS: dict[str, Callable[[PushQueue, str, int], Awaitable[None]]] = {
    "push": push,
    "work": work,
    "sleep": sleep,
}


async def main(act: str, name: str, n: str) -> None:
    queue = open_queue(Settings())
    await ACTS[act](queue, name, int(n))
    await queue.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
