"""`etter up`: everything on this machine in the foreground."""

from __future__ import annotations

import asyncio
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from etter_dagster.cli.data_folder import REMEDY, folder_problem
from etter_dagster.cli.engine import Engine, NotReady
from etter_dagster.cli.running import IsRunning, sole
from etter_dagster.cli.supervisor import GuardFailed
from etter_dagster.logs import line_of_program, masked, secrets_of
from etter_dagster.model.errors import ErrorCode, EtterError, FieldProblem, ValidationFailed
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.settings import Settings, get_settings

_QUIET_SECONDS = 1.0
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def up(
    port: Annotated[
        int | None, typer.Option(help="Serve REST here instead of ETTER_PORT.", min=1, max=65535)
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End when every push has ended; 1 if one has failed.")
    ] = False,
) -> None:
    """Runs everything on this machine until Ctrl-C: REST, Dagster's webserver and daemon."""
    from etter_dagster.stores.migrations import require_schema

    settings = get_settings()
    if port is not None:
        settings = settings.with_changes(port=port)
    require_folder(settings.data_dir)
    require_startable(settings)
    console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
    asyncio.run(require_schema(settings))
    with stop_signals() as stop, sole_or_unavailable(settings):
        code = _run(settings, console, stop, once)
    raise typer.Exit(code)


def require_startable(settings: Settings) -> None:
    """Refuses settings, and in production a Redis, that a service must not start with.

    Raises:
        ValidationFailed: Names all that is wrong.
    """
    from etter_dagster.stores.starting import reasons_not_to_start

    if reasons := asyncio.run(reasons_not_to_start(settings)):
        raise ValidationFailed(*(FieldProblem("settings", reason) for reason in reasons))


def require_folder(folder: Path) -> None:
    """Refuses a data folder that cannot hold the stores, before each of them fails by itself.

    Raises:
        ValidationFailed: It cannot be made or written.
    """
    if problem := folder_problem(folder):
        raise ValidationFailed(FieldProblem("ETTER_DATA_DIR", f"{problem}; {REMEDY}"))


def make_folder(folder: Path, field: str) -> None:
    """Makes a folder that only this user may read, unless it is there.

    Args:
        folder: Which.
        field: What names it, for the error.

    Raises:
        ValidationFailed: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        what = f"{folder} cannot be made ({error.strerror}); name another folder"
        raise ValidationFailed(FieldProblem(field, what)) from error


@contextmanager
def sole_or_unavailable(settings: Settings) -> Iterator[None]:
    """Holds the data folder for a block.

    Raises:
        EtterError: Another service has it, or this one did not get ready.
    """
    make_folder(settings.data_dir, "ETTER_DATA_DIR")
    try:
        with sole(settings):
            yield
    except (IsRunning, NotReady, GuardFailed) as error:
        raise EtterError(ErrorCode.STORE_UNAVAILABLE, str(error), recoverable=False) from error


def _run(settings: Settings, console: Console, stop: threading.Event, once: bool) -> int:
    ending = threading.Event()

    secrets = secrets_of(settings)

    def say(name: str, line: str) -> None:
        plain = _COLOUR.sub("", line)
        if settings.log_format == "json":
            console.print(line_of_program(name, plain, secrets))
        else:
            console.print(f"{name:>7} | {masked(plain, secrets)}")

    def pass_on(name: str, line: str) -> None:
        if not ending.is_set():  # told to end, Dagster writes pages about having been told
            say(name, line)

    engine = Engine(settings, pass_on)
    started = datetime.now(timezone.utc)
    for line in moved_ports(settings, engine):
        say("etter", line)
    say("etter", f"starts, with its data in {settings.data_dir}; that takes some seconds")
    try:
        engine.start()
        if not engine.wait_ready(stop):
            return 0
        say("etter", f"is up: REST {engine.settings.rest_base_url}/api/v1/pipeline")
        say("etter", f"       dashboard {engine.settings.dashboard_base_url}/dashboard")
        say("etter", f"       Dagster {engine.settings.dagster_url}")
        say("etter", "Ctrl-C ends it; what waits goes on at the next start")
        while not stop.wait(0.2):
            engine.tend()
            if once and asyncio.run(_all_ended(engine.settings)):
                return asyncio.run(_code_since(engine.settings, started))
        return 0
    finally:
        ending.set()
        say("etter", "ending ...")
        engine.stop()


def moved_ports(settings: Settings, engine: Engine) -> Iterator[str]:
    """Says which usual ports are taken, and what is used in their place.

    Args:
        settings: As configured.
        engine: As it found the ports.
    """
    for name, wanted, got in (
        ("ETTER_PORT", settings.port, engine.ports.rest),
        ("ETTER_DAGSTER_PORT", settings.dagster_port, engine.ports.dagster),
    ):
        if wanted != got:
            yield f"{name}: {wanted} is taken, using {got}"


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
