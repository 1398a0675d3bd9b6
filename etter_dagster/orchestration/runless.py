"""Reporting to Dagster from outside a run: what the library makes in a script or a notebook.

Only materializations and partitions: Dagster shows a partition as failed by the run that failed,
and here there is none; the role's own state says it.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagster as dg

from etter_dagster.model.errors import ErrorCode, EtterError, StoreUnavailable
from etter_dagster.onboarding.archive import GivenUp
from etter_dagster.onboarding.step_registry import load_steps
from etter_dagster.onboarding.steps import Step
from etter_dagster.orchestration.assets import parents_of
from etter_dagster.orchestration.events import newest_event, plan_for
from etter_dagster.orchestration.partitions import add_partitions
from etter_dagster.orchestration.reporter import DagsterReporter
from etter_dagster.orchestration.storage import HOME_ENV, together
from etter_dagster.orchestration.storage_away import is_outage, storage_away_said
from etter_dagster.settings import Settings, get_settings


def reporter_from_environment() -> DagsterReporter | None:
    """A reporter to the instance of `DAGSTER_HOME`; None where that is not set.

    It lives as long as the process: opening an instance takes longer than onboarding a role.

    Raises:
        EtterError: `STORE_UNAVAILABLE`: the instance cannot be opened.
    """
    home = os.environ.get(HOME_ENV)
    # Not across a fork: the child has no writer thread, and would wait for it for ever.
    return _reporter(home, os.getpid()) if home else None


def runless_reporter(
    instance: dg.DagsterInstance, steps: Sequence[Step] | None = None
) -> DagsterReporter:
    """A reporter that writes events without a run to an instance.

    Args:
        instance: Kept open by the caller for as long as the reporter is used.
        steps: Whose assets are reported; those of the environment's settings, if None.
    """
    return DagsterReporter(
        log_event=instance.report_runless_asset_event,
        newest_event=functools.partial(newest_event, instance),
        plan=None,
        plan_for=functools.partial(plan_for, instance),
        ensure_partitions=functools.partial(add_partitions, instance),
        parents=parents_of(load_steps(get_settings()) if steps is None else steps),
        together=lambda: together(instance.event_log_storage),
    )


def tell_given_up(instance: dg.DagsterInstance) -> GivenUp:
    """Shows a role as failed whose push was given up, for `archive`.

    Args:
        instance: Who is told.
    """

    async def tell(role_id: str, run_id: str | None, assets: Sequence[str]) -> None:
        with storage_away_said():
            await asyncio.to_thread(plan_for, instance, run_id, assets, role_id)

    return tell


@functools.cache
def _reporter(home: str, _process: int) -> DagsterReporter:
    try:
        instance = dg.DagsterInstance.get()
    except Exception as error:
        raise _not_opened(error) from error
    atexit.register(instance.dispose)
    return runless_reporter(instance)


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of the settings, for a command.

    Args:
        settings: Its folder.

    Raises:
        EtterError: `STORE_UNAVAILABLE`: there is none, or it cannot be opened.
    """
    home = settings.dagster_home
    if not (home / "dagster.yaml").is_file():
        raise EtterError(
            ErrorCode.STORE_UNAVAILABLE,
            "there is no Dagster instance in the folder of DAGSTER_HOME: run `etter up` once, or "
            "set DAGSTER_HOME",
        )
    os.environ.setdefault(HOME_ENV, str(home))
    try:
        instance = dg.DagsterInstance.from_config(str(home))
    except Exception as error:
        raise _not_opened(error) from error
    with instance:
        yield instance


def _not_opened(error: Exception) -> EtterError:
    if is_outage(error):
        return StoreUnavailable(
            "Dagster", "PostgreSQL is away or lets nobody in; check ETTER_DAGSTER_POSTGRES_URL"
        )
    return EtterError(
        ErrorCode.STORE_UNAVAILABLE,
        f"the Dagster instance of {HOME_ENV} cannot be opened ({type(error).__name__}): mend "
        f"it, or unset {HOME_ENV} to onboard without telling Dagster",
    )
