"""Following pushes to their end, with a live line or bar where there is a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from etter_dagster.cli.holding import telling_of_holds
from etter_dagster.cli.output import clean, err, say
from etter_dagster.client import calls

if TYPE_CHECKING:
    from etter_dagster.cli.calling import Service
    from etter_dagster.onboarding.status import StatusView
    from etter_dagster.onboarding.views import BatchView, OperationView

_LOOK_SECONDS = 0.5
_SECONDS_PER_ROLE = 1 / 1000  # a status of many roles is much to read: look at it less often


@contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """A progress bar on standard error; on no terminal, nothing.

    Args:
        what: What goes on.
        total: How many there are.

    Yields:
        Takes how many are done, and a remark.
    """
    console = err()
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[remark]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        task = progress.add_task(what, total=total, remark="")

        def done(count: int, remark: str) -> None:
            progress.update(task, completed=count, remark=remark)

        yield done


def follow(service: Service, workflow_id: str) -> StatusView:
    """One push, to its end.

    Args:
        service: The service.
        workflow_id: The push.
    """
    view = service.status(workflow_id)  # at once says no where a stream would be tried again
    if view.status.terminal:
        return view
    with (
        err().status(summary(view)) as line,
        telling_of_holds(service),
        _interruptible(workflow_id),
    ):
        for view in service.watch(workflow_id):
            line.update(summary(view))
    return view if view.status.terminal else service.status(workflow_id)


def summary(view: StatusView) -> str:
    """A push in one line.

    Args:
        view: Its status.
    """
    parts = [f"{clean(view.role_name)}: {view.status.value}"]
    if view.current_step:
        parts.append(f"step {view.current_step}")
    if view.position_in_queue is not None:
        parts.append(f"position {view.position_in_queue}")
    if not view.status.terminal:
        parts.append(f"about {view.estimated_duration_seconds} s to go")
    return ", ".join(parts)


def follow_batches(
    service: Service, batch_ids: Sequence[str], *, sleep: Callable[[float], None] = time.sleep
) -> list[BatchView]:
    """Batches, to the end of every role in them.

    Args:
        service: The service.
        batch_ids: The batches.
        sleep: How to pause between two looks.
    """
    views = {bid: service.send_patiently(calls.batch_status(bid)) for bid in batch_ids}
    total = sum(view.total for view in views.values())
    with bar("onboarding", total) as done, telling_of_holds(service), _interruptible(*batch_ids):
        while True:
            done(sum(_ended(view) for view in views.values()), _remark(views.values()))
            open_ids = [bid for bid, view in views.items() if _ended(view) < view.total]
            if not open_ids:
                return list(views.values())
            sleep(_LOOK_SECONDS + total * _SECONDS_PER_ROLE)
            for bid in open_ids:
                views[bid] = service.send_patiently(calls.batch_status(bid))


def _ended(view: BatchView) -> int:
    return view.completed + view.failed + view.cancelled


def _remark(views: Iterable[BatchView]) -> str:
    failed = sum(view.failed for view in views)
    return f"{failed} failed" if failed else ""


@contextmanager
def _interruptible(*ids: str) -> Iterator[None]:
    """Ctrl-C ends the waiting only, and says how to come back."""
    try:
        yield
    except KeyboardInterrupt:
        for one in ids:
            say(f"the work goes on; look at it with: etter status {one} --watch")
        raise


def follow_operation(
    service: Service, operation_id: str, *, sleep: Callable[[float], None] = time.sleep
) -> OperationView:
    """A bulk operation, to its end.

    Args:
        service: The service.
        operation_id: The operation.
        sleep: How to pause between two looks.
    """
    view = service.operation(operation_id)
    with bar(view.kind, view.matched) as done, _interruptible(operation_id):
        while view.state == "running":
            done(view.done + len(view.skipped), "")
            sleep(_LOOK_SECONDS)
            view = service.send_patiently(calls.operation(operation_id))
    return view
