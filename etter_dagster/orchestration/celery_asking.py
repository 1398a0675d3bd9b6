"""Asks over Celery's broker which workers are there; without Dagster, which takes seconds."""

from __future__ import annotations

from celery import Celery

from etter_dagster.orchestration.celery_tls import broker_tls
from etter_dagster.settings import Settings

_SECONDS = 3.0


def workers_answering(settings: Settings) -> int:
    """How many workers answer; whatever a transport raises says that the broker does not.

    Args:
        settings: `celery_broker_url`, which is set.
    """
    assert settings.celery_broker_url is not None
    app = Celery(broker=settings.celery_broker_url.get_secret_value())
    app.conf.update(broker_tls(settings))
    app.conf.broker_transport_options = {"socket_connect_timeout": _SECONDS}
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0.1, timeout=_SECONDS)
            return len(app.control.ping(timeout=_SECONDS, connection=connection))
    finally:
        app.close()
