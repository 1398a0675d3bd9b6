"""Asks over Celery's broker which workers are there; without Dagster, which takes seconds."""

from __future__ import annotations

from celery import Celery

_SECONDS = 3.0


def workers_answering(broker_url: str) -> int:
    """How many workers answer; whatever a transport raises says that the broker does not.

    Args:
        broker_url: With its password.
    """
    app = Celery(broker=broker_url)
    app.conf.broker_transport_options = {"socket_connect_timeout": _SECONDS}
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0.1, timeout=_SECONDS)
            return len(app.control.ping(timeout=_SECONDS, connection=connection))
    finally:
        app.close()
