"""A Celery worker that executes whole runs, each in a forked process with everything imported.

Told to end it takes no more runs. Serving runs then claim no more and finish what they hold; after
the grace they, and runs of single roles, give their leases back.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import uuid
from typing import Any

from billiard.process import active_children
from celery import signals

from etter_dagster.logs import configure as configure_logs
from etter_dagster.orchestration.celery_app import QUEUE, build_app
from etter_dagster.orchestration.serving_run import STOP_CLAIMING
from etter_dagster.settings import Settings


def work(settings: Settings, *, concurrency: int, grace_seconds: float) -> int:
    """Takes runs until told to end; gives the exit code.

    Args:
        settings: The broker, and those of the runs.
        concurrency: Runs at once.
        grace_seconds: From being told to end till leases are given back.
    """
    app = build_app(settings)

    def log_as_we_do(**_: Any) -> None:
        """Celery then leaves logging alone; it would put words of its own before each line."""
        configure_logs(settings)

    # Imported before the processes are forked: a run then starts at once.
    app.conf.include = ["etter_dagster.definitions"]

    def until_a_run_listens(**_: Any) -> None:
        signal.signal(STOP_CLAIMING, signal.SIG_IGN)

    def shut_down(**_: Any) -> None:
        _tell(STOP_CLAIMING)
        end = threading.Timer(grace_seconds, _tell, [signal.SIGTERM])
        end.daemon = True
        end.start()

    signals.setup_logging.connect(log_as_we_do, weak=False)
    signals.worker_process_init.connect(until_a_run_listens, weak=False)
    signals.worker_shutting_down.connect(shut_down, weak=False)
    worker = app.Worker(
        # Of its own for each start, so that a successor does not answer for one that was killed.
        hostname=f"etter-{uuid.uuid4().hex[:8]}@{socket.gethostname()}",
        concurrency=concurrency,
        queues=[QUEUE],
        loglevel=settings.log_level,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _tell(number: signal.Signals) -> None:
    """Sends a signal to the processes of this worker that execute runs."""
    for process in active_children():
        if process.pid is not None:
            try:
                os.kill(process.pid, number)
            except ProcessLookupError:
                continue
