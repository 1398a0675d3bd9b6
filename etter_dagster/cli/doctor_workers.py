"""The doctor's look at Celery: whether the broker answers, and whether any `etter worker` does."""

from __future__ import annotations

from collections.abc import Iterator

from etter_dagster.cli.doctor_checks import Check
from etter_dagster.cli.output import counted
from etter_dagster.settings import Settings

_NAME = "workers"


def check_workers(settings: Settings) -> Iterator[Check]:
    """Whether anybody takes runs, where `RUN_LAUNCHER` is `celery`; else all seems well and waits.

    Args:
        settings: Say where the broker is.
    """
    if settings.run_launcher != "celery" or settings.celery_broker_url is None:
        return
    try:
        from etter_dagster.orchestration.celery_asking import workers_answering
    except ImportError:
        remedy = "pip install 'etter-dagster[celery]'"
        yield Check(_NAME, "problem", "Celery is not installed here", remedy)
        return
    try:
        answering = workers_answering(settings)
    except Exception as error:  # whatever a transport raises, it does not answer
        remedy = "check ETTER_CELERY_BROKER_URL, and that it is running"
        yield Check(_NAME, "unreachable", f"the broker: {type(error).__name__}", remedy)
        return
    if answering:
        yield Check(_NAME, "ok", f"{counted(answering, 'worker')} of Celery")
    else:
        remedy = "start `etter worker`; pushes wait until then"
        yield Check(_NAME, "unreachable", "no worker of Celery answers", remedy)
