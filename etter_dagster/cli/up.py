"""`etter up`: everything on this machine in the foreground."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Annotated

import typer
from rich.console import Console

from etter_dagster.cli.engine import Engine, NotReady
from etter_dagster.cli.running import IsRunning, sole
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.settings import Settings, get_settings

_QUIET_SECONDS = 1.0


def up(
    port: Annotated[
        int | None, typer.Option(help="Serve REST here instead of ETTER_PORT.", min=1, max=65535)
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End when every push has ended; 1 if one has failed.")
    ] = False,
) -> None:
    """Runs everything on this machine until Ctrl-C: REST, Dagster's webserver and daemon."""
    settings = get_settings()
    if port is not None:
        settings = settings.with_changes(port=port)
    settings.refuse_to_start()
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        with sole(settings), stop_signals() as stop:
            code = _run(settings, console, stop, once)
    except (IsRunning, NotReady) as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(3) from error
    raise typer.Exit(code)


def _run(settings: Settings, console: Console, stop: threading.Event, once: bool) -> int:
    engine = Engine(settings, lambda name, line: console.print(f"{name:>7} | {line}", markup=False))
    started = datetime.now(timezone.utc)
    for name, wanted, got in (
        ("ETTER_PORT", settings.port, engine.ports.rest),
        ("ETTER_DAGSTER_PORT", settings.dagster_port, engine.ports.dagster),
    ):
        if wanted != got:
            console.print(f"{name}: {wanted} is taken, using {got}")
    try:
        engine.start()
        if not _ready(engine, stop):
            return 0
        console.print(f"Etter is up.   REST {engine.settings.rest_base_url}/api/v1/pipeline")
        console.print(f"               UI   {engine.settings.dagster_url}")
        console.print("Ctrl-C ends it; what waits goes on at the next start.")
        while not stop.wait(0.2):
            engine.tend()
            if once and asyncio.run(_all_ended(engine.settings)):
                return asyncio.run(_code_since(engine.settings, started))
        return 0
    finally:
        console.print("ending ...")
        engine.stop()


def _ready(engine: Engine, stop: threading.Event) -> bool:
    """False if it was told to stop meanwhile."""
    failure: list[NotReady] = []

    def wait() -> None:
        try:
            engine.wait_ready()
        except NotReady as error:
            failure.append(error)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    while waiting.is_alive() and not stop.is_set():
        waiting.join(0.1)
    if failure:
        raise failure[0]
    return not stop.is_set()


async def _all_ended(settings: Settings) -> bool:
    """Whether nothing has waited or been worked on for a moment."""
    from etter_dagster.onboarding.services import open_services

    services = open_services(settings)
    try:
        for _ in range(2):
            counts = await services.queue.counts(services.limits)
            if sum(counts.waiting.values()) or counts.in_flight or await services.queue.outbox(1):
                return False
            await asyncio.sleep(_QUIET_SECONDS)
        return True
    finally:
        await services.close()


async def _code_since(settings: Settings, since: datetime) -> int:
    """1 if a push that ended since then has failed."""
    from etter_dagster.onboarding.services import open_services
    from etter_dagster.stores.protocols import PushFilter

    services = open_services(settings)
    try:
        page = await services.graph.list_history(
            PushFilter(states=(WorkflowState.FAILED,)), cursor=None, limit=200
        )
        return int(any(p.completed_at and p.completed_at >= since for p in page.items))
    finally:
        await services.close()


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set; the handlers from before stand again afterwards."""
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
