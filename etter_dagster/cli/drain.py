"""`etter drain`: before a deploy or a restart, lets what is in work end and starts nothing new."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from etter_dagster.cli.failures import FAILED, end
from etter_dagster.cli.service import Json


def drain(
    timeout: Annotated[
        float, typer.Option(help="Wait so many seconds for what is in work.", min=0)
    ] = 600.0,
    hold: Annotated[
        float, typer.Option(help="Start nothing for so many seconds; then work goes on.", min=1)
    ] = 3600.0,
    end_now: Annotated[
        bool, typer.Option("--end", help="The deploy is done: work goes on now.")
    ] = False,
    json: Json = False,
) -> None:
    """Stops claiming on all machines and waits until nothing is in work; 1 if time ran out.

    Pushes are taken all the while and wait. Runs of single roles that somebody launches in
    Dagster's UI are not held back.
    """
    from etter_dagster.cli.output import print_json, say, tell

    in_flight, waiting = asyncio.run(_drain(0.0 if end_now else hold, timeout))
    if json:
        print_json({"in_work": in_flight, "waiting": waiting, "held": not end_now})
    elif end_now:
        tell("work goes on")
    else:
        tell(f"{in_flight} in work, {waiting} waiting; work goes on with: etter drain --end")
        if in_flight:
            say(f"  not done within {timeout:g} s; told to end, workers give their roles back")
    if in_flight and not end_now:
        end(FAILED)


async def _drain(hold: float, timeout: float) -> tuple[int, int]:
    """Pushes in work and waiting, once none is in work or the time is over."""
    from etter_dagster.cli.store_settings import settings_of_stores
    from etter_dagster.onboarding.services import open_services

    services = open_services(settings_of_stores())
    try:
        await services.queue.hold_claims(hold)
        deadline = asyncio.get_running_loop().time() + (timeout if hold else 0.0)
        changed = 0
        while True:
            changed = await services.queue.wait_changed(changed, 0.0)
            counts = await services.queue.counts(services.limits)
            left = deadline - asyncio.get_running_loop().time()
            if not counts.in_flight or left <= 0:
                return counts.in_flight, sum(counts.waiting.values())
            # Expired leases change nothing, so it looks by itself too.
            await services.queue.wait_changed(changed, min(1.0, left))
    finally:
        await services.close()
