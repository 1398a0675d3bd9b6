"""`etter worker`: takes runs on this machine, where `RUN_LAUNCHER` is `celery`."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from etter_dagster.cli.engine import configure_dagster
from etter_dagster.cli.up import make_folder, require_startable
from etter_dagster.model.errors import FieldProblem, ValidationFailed
from etter_dagster.settings import get_settings


def worker(
    concurrency: Annotated[
        int, typer.Option(help="Runs at once, each in a process of its own.", min=1, max=64)
    ] = 2,
    grace: Annotated[
        float,
        typer.Option(help="Told to end, seconds for roles in work; then they are given back."),
    ] = 300.0,
) -> None:
    """Takes runs from the broker until Ctrl-C or SIGTERM; start one on each machine.

    Told to end, it claims no more, finishes the roles that it holds, and gives back what is
    left after the grace.
    """
    from etter_dagster.cli.doctor_storage import check_storage
    from etter_dagster.cli.output import say
    from etter_dagster.stores.migrations import require_schema

    settings = get_settings()
    require_startable(settings)
    if settings.run_launcher != "celery":
        what = "is not celery: set it, and ETTER_CELERY_BROKER_URL, on all machines"
        raise ValidationFailed(FieldProblem("ETTER_RUN_LAUNCHER", what))
    try:
        from etter_dagster.orchestration.celery_worker import work
    except ImportError as error:
        what = "needs Celery: pip install 'etter-dagster[celery]'"
        raise ValidationFailed(FieldProblem("ETTER_RUN_LAUNCHER", what)) from error
    asyncio.run(require_schema(settings))
    for check in check_storage(settings):
        if check.state != "ok":  # it would take runs, and could open none of them
            say(f"{check.name}: {check.found}; {check.remedy}")
    make_folder(settings.dagster_home, "DAGSTER_HOME")
    configure_dagster(settings.dagster_home, settings)
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    raise typer.Exit(work(settings, concurrency=concurrency, grace_seconds=grace))
