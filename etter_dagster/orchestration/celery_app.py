"""The Celery app by which runs reach workers on other machines; its broker is in the settings."""

from __future__ import annotations

from typing import Any

from celery import Celery
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task

from etter_dagster.orchestration.celery_tls import broker_tls
from etter_dagster.settings import Settings

QUEUE = "dagster"


def celery_arguments(settings: Settings) -> dict[str, Any]:
    """What launcher and workers both need.

    Args:
        settings: `celery_broker_url`; results are kept beside the tasks.
    """
    url = settings.celery_broker_url
    if url is None:
        raise ValueError("ETTER_RUN_LAUNCHER=celery: set ETTER_CELERY_BROKER_URL")
    return {
        "broker": url.get_secret_value(),
        "backend": url.get_secret_value(),
        "config_source": {
            **broker_tls(settings),
            "task_default_queue": QUEUE,
            "task_track_started": True,
            # A run that waits for a busy process while another machine is idle is late by minutes.
            "worker_prefetch_multiplier": 1,
            "worker_disable_prefetch": True,
            "worker_hijack_root_logger": False,
            "worker_proc_alive_timeout": 60.0,  # machines may be busy when processes start
            "worker_max_tasks_per_child": 100,
            "worker_cancel_long_running_tasks_on_connection_loss": False,
            # A broker that restarts is waited for.
            "broker_connection_retry_on_startup": True,
            "broker_connection_max_retries": None,
            "broker_transport_options": {"socket_connect_timeout": 10, "socket_keepalive": True},
            "result_expires": 86_400,
        },
    }


def build_app(settings: Settings) -> Celery:
    """The app with the tasks that execute runs.

    Args:
        settings: As for `celery_arguments`.
    """
    app: Celery = make_app(celery_arguments(settings))  # type: ignore[no-untyped-call]
    create_execute_job_task(app)
    create_resume_job_task(app)
    return app
