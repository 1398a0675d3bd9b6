"""Paid assessments at full size against the stand-in: failures, killed workers, a spent budget.

`python -m benchmarks.paid [ROLES]` prints a table of what was asked for, by the ledger's and by
the service's own count. The same with few roles is in `etter_dagster_tests/paid`.
"""

from __future__ import annotations

import asyncio
import operator
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from etter_dagster.model.ledger import Outcome
from etter_dagster.onboarding.services import open_services
from etter_dagster.settings import Settings
from etter_dagster_tests.paid.conftest import Paid, Start, starting
from etter_dagster_tests.standin.app import create_standin
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.standin.state import ASSESS, Fault, StandinState

ENDED = {"ready", "failed"}
LIMIT_SECONDS = 1800.0
FAULTS = (
    Fault(status=500),
    Fault(status=503, headers={"Retry-After": "1"}),
    Fault(status=429),
    Fault(reset=True),
    Fault(lose_answer=True),
    Fault(garbage=b"{"),
    Fault(delay=12.0),
    Fault(error="cannot"),
    Fault(override={"ai_automation_score": 1e9}),
)
Scenario = Callable[[Paid, Start, list[str]], Awaitable[str]]


async def failing(paid: Paid, start: Start, names: list[str]) -> str:
    """Every second role fails in some way, once to six times; workers are killed meanwhile."""
    for n, name in enumerate(names[::2]):
        paid.state.fail(ASSESS, FAULTS[n % len(FAULTS)], times=1 + n % 6, role=name)
    ids = await paid.push(names)
    worker = start("w0")
    for kill in range(1, 4):
        enough = kill * len(ids) // 5
        await until(paid, ids, partial(operator.le, enough))
        worker.kill()
        worker = start(f"w{kill}")
    await until(paid, ids, lambda ended: ended == len(ids))
    return await said(paid, ids)


async def killed(paid: Paid, start: Start, names: list[str]) -> str:
    """A second each; the worker is killed with -9 when a fifth is done."""
    paid.state.delay = 1.0
    ids = await paid.push(names)
    worker = start("w0")
    await until(paid, ids, lambda ended: ended >= len(ids) // 5)
    worker.kill()
    worker.wait()
    attempts = await paid.services.ledger.attempts(limit=10 * len(ids))
    done = {a.call.role_id for a in attempts if a.outcome is Outcome.DONE}
    opened = {a.call.role_id for a in attempts if a.outcome is Outcome.OPEN}
    start("w1")
    await until(paid, ids, lambda ended: ended == len(ids))
    roles = {push.role_name: push.role_id for push in (await paid.pushes(ids)).values()}
    asked = {roles[name]: n for name, n in paid.standin_counts().items()}
    again = sum(asked[role_id] > 1 for role_id in done - opened)
    flags = sum(bool(c.body["delete_existing"]) for c in paid.state.calls if c.endpoint == ASSESS)
    return (
        f"{await said(paid, ids)}; {len(done)} done and {len(opened)} open at the kill, "
        f"{again} done ones asked again, {flags} with delete_existing"
    )


async def budget(paid: Paid, start: Start, names: list[str]) -> str:
    """A fifth of the pushes can be paid."""
    ids = await paid.push(names)
    start("w0")
    await until(paid, ids, lambda ended: ended >= len(ids) // 5)
    await asyncio.sleep(5)  # whatever would be paid too much
    return await said(paid, ids)


async def until(paid: Paid, ids: list[str], enough: Callable[[int], bool]) -> None:
    """Waits until so many pushes have ended."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        states = await paid.states(ids)
        if enough(sum(n for state, n in states.items() if state in ENDED)):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(str(states))
        await asyncio.sleep(0.1)


async def said(paid: Paid, ids: list[str]) -> str:
    """What became of the pushes, and what both sides counted."""
    states = ", ".join(f"{n} {state}" for state, n in sorted((await paid.states(ids)).items()))
    ledger, service = await paid.ledger_counts(), paid.standin_counts()
    most = max(service.values(), default=0)
    return (
        f"{states}; {service.total()} calls by the service's count, of which the ledger lacks "
        f"{(service - ledger).total()}; {(ledger - service).total()} of the ledger's were lost "
        f"before they came; at most {most} a role"
    )


async def run(scenario: Scenario, roles: int, **changes: object) -> None:
    """Runs one scenario in a folder of its own and prints its line."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        state = StandinState()
        url = stack.enter_context(serving(create_standin(state)))
        settings = Settings(
            data_dir=Path(folder),
            enable_mock_data=False,
            retry_backoff_seconds=0.2,
            assessor="workflow_api",
            workflow_api_base_url=url,
            workflow_api_timeout=10,
            cost_per_assessment=1.0,
            optional_steps="none",
            lease_seconds=10,
        ).with_changes(**changes)
        start = stack.enter_context(starting(settings))
        services = open_services(settings)
        began = time.monotonic()
        try:
            names = [f"role {n}" for n in range(roles)]
            line = await scenario(Paid(services, state), start, names)
        finally:
            await services.close()
        print(f"| {scenario.__name__} | {roles} | {line} | {time.monotonic() - began:.0f} |")


async def main(roles: int) -> None:
    """All scenarios."""
    print("| scenario | roles | outcome | seconds |\n| --- | --- | --- | --- |")
    await run(failing, roles)
    await run(killed, roles)
    await run(budget, roles, budget_per_month=float(roles // 5))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
