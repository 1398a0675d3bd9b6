"""What a run does: works the roles of its partitions, or serves the push queue."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import signal
import socket
import threading
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import dagster as dg
from pydantic import Field

from etter_dagster.logs import configure as configure_logs
from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.onboarding.partition_run import work_roles
from etter_dagster.onboarding.services import Services, open_services, prepare
from etter_dagster.onboarding.serving import serve
from etter_dagster.orchestration.events import newest_event, plan, plan_for
from etter_dagster.orchestration.partitions import KnownPartitions
from etter_dagster.orchestration.reporter import DagsterReporter
from etter_dagster.orchestration.run_tags import LAUNCH_TAG, complete_tags
from etter_dagster.orchestration.storage import together
from etter_dagster.settings import Settings

T = TypeVar("T")
STOP_CLAIMING = signal.SIGUSR2  # by it a serving run is told to finish what it holds, and end
_PARENT_TAG, _ROOT_TAG = "dagster/parent_run_id", "dagster/root_run_id"
_FROM_FAILURE_TAG = "dagster/is_resume_retry"
_NAMED = 20  # failed roles in a run's error; all of them show as failed partitions
log = logging.getLogger(__name__)


class OnboardConfig(dg.Config):
    """Run config of `onboard_roles`."""

    force_rerun: bool = Field(
        default=False,
        description="Assess the run's partitions anew although nothing changed. Costs what an "
        "assessment costs; a re-execution from failure leaves those alone that its run had "
        "assessed. Without partitions it has no meaning: each push says it itself.",
    )


def run_onboarding(
    context: dg.AssetExecutionContext,
    config: OnboardConfig,
    settings: Settings,
    parents: Mapping[str, Sequence[str]],
) -> None:
    """Works roles; each one's materializations are logged as they happen.

    Args:
        context: Of the run; with a partition or a range, those roles are worked.
        config: The run's.
        settings: Stores, limits.
        parents: The parents of each asset, for the version tags.

    Raises:
        dagster.Failure: A role failed; exactly its partition then shows as failed.
        dagster.DagsterExecutionInterruptedError: The run was told to stop; its leases are given
            back.
    """
    if settings.log_format == "json":  # else our lines go where Dagster's own do
        configure_logs(settings, logger="etter_dagster")
    complete_tags(context, "roles", "interactive")
    partitioned = context.has_partition_key or context.has_partition_key_range
    reporter = DagsterReporter(
        log_event=context.log_event,
        newest_event=lambda: newest_event(context.instance),
        plan=None if partitioned else lambda asset, role_id: plan(context, asset, role_id),
        plan_for=functools.partial(plan_for, context.instance),
        ensure_partitions=KnownPartitions(context.instance).ensure,
        parents=parents,
        together=lambda: together(context.instance.event_log_storage),
    )
    try:
        if partitioned:
            # Of one key alone it is our error that says what helps where it is unknown.
            one = context.has_partition_key
            keys = [context.partition_key] if one else list(context.partition_keys)
            work = _interruptible(lambda: _work(context, config, settings, reporter, keys))
        else:
            work = _interruptible(lambda: _serve(context, settings, reporter))
    except dg.DagsterExecutionInterruptedError:
        if not reporter.failed_roles:
            raise
        # Of a cancelled run Dagster shows no partition as failed; told to stop by Dagster itself,
        # it is cancelled in any case.
        why = "failed before the run was told to stop; its push says why"
        work = dict.fromkeys(sorted(reporter.failed_roles), why)
    finally:
        reporter.close()
    if work:
        raise dg.Failure(
            description=_said(work),
            metadata={"failed_roles": dg.MetadataValue.int(len(work))},
            allow_retries=False,
        )


async def know_roles(services: Services) -> None:
    """Puts the taxonomy's roles into the graph, where it can be read now.

    Its outage stops no work on roles that are known already.
    """
    try:
        await prepare(services)
    except StoreUnavailable:
        raise
    except Exception as error:
        log.warning("the taxonomy cannot be read; going on with the roles known: %s", error)


async def _work(
    context: dg.AssetExecutionContext,
    config: OnboardConfig,
    settings: Settings,
    reporter: DagsterReporter,
    keys: Sequence[str],
) -> dict[str, str]:
    services = open_services(settings)
    try:
        await know_roles(services)
        results = await work_roles(
            services,
            keys,
            reporter=reporter,
            run_id=context.run.run_id,
            force_rerun=config.force_rerun,
            goes_on_for=goes_on_for(context.instance, context.run),
            created_by=context.run.tags.get("user"),
        )
    finally:
        await services.close()
    return {role_id: message for role_id, message in results.items() if message is not None}


async def _serve(
    context: dg.AssetExecutionContext, settings: Settings, reporter: DagsterReporter
) -> dict[str, str]:
    services = open_services(settings)
    stop = asyncio.Event()
    try:
        with _stopping(stop):
            result = await serve(
                services,
                worker=worker_name(context.run),
                reporter=reporter,
                run_id=context.run.run_id,
                places=settings.roles_per_run,
                linger_seconds=settings.linger_seconds,
                claim_seconds=settings.claim_seconds,
                stop=stop,
            )
    finally:
        await services.close()
    context.log.info(f"{result.done} pushes ended, {len(result.failed)} of them with a failure")
    return result.failed


def worker_name(run: dg.DagsterRun) -> str:
    """The name that its sensor gave it, else a new one.

    A run that is executed again has its parent's tags, and so could two at a time: the first to
    end would give back what the other holds.
    """
    launched = run.tags.get(LAUNCH_TAG)
    if launched and _PARENT_TAG not in run.tags:
        return launched
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def goes_on_for(instance: dg.DagsterInstance, run: dg.DagsterRun) -> set[str]:
    """The runs that a re-execution "from failure" goes on for; none for any other run."""
    root = run.tags.get(_ROOT_TAG)
    if root is None or run.tags.get(_FROM_FAILURE_TAG) != "true":
        return set()
    return {root, *instance.get_run_ids(dg.RunsFilter(tags={_ROOT_TAG: root}))}


def _said(failed: Mapping[str, str]) -> str:
    named = [f"{role_id}: {message}" for role_id, message in list(failed.items())[:_NAMED]]
    more = len(failed) - len(named)
    count = "1 role" if len(failed) == 1 else f"{len(failed)} roles"
    return f"{count} failed\n" + "\n".join(named) + (f"\nand {more} more" * (more > 0))


def _interruptible(main: Callable[[], Awaitable[T]]) -> T:
    """Runs a coroutine so that a signal cancels it, and it can give back what it holds.

    Dagster's own handler raises wherever the loop happens to be; then neither `except` nor
    `finally` of a coroutine is sure to be reached.
    """

    async def run() -> T:
        task = asyncio.ensure_future(main())
        with _cancelling(task):
            return await task

    try:
        return asyncio.run(run())
    except asyncio.CancelledError:
        log.warning("told to stop: leases were given back")
        raise dg.DagsterExecutionInterruptedError from None


@contextmanager
def _stopping(stop: asyncio.Event) -> Iterator[None]:
    """`STOP_CLAIMING` sets the event; before and after, the signal is ignored as it was."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = signal.getsignal(STOP_CLAIMING)
    loop.add_signal_handler(STOP_CLAIMING, stop.set)
    try:
        yield
    finally:
        loop.remove_signal_handler(STOP_CLAIMING)
        signal.signal(STOP_CLAIMING, before)


@contextmanager
def _cancelling(task: asyncio.Future[T]) -> Iterator[None]:
    """Signals cancel the task; the handlers from before stand again afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only
        return
    loop = asyncio.get_running_loop()
    told = False

    def cancel() -> None:
        nonlocal told
        # Only once: a second cancellation would end the giving back that the first one began.
        if not told:
            told = True
            task.cancel()

    before = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        loop.add_signal_handler(number, cancel)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
