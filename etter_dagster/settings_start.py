"""What must be set before a service may start; a command that only looks may run without it.

Rules over settings; of what they name only the files of API keys and authorities are looked into.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from etter_dagster.settings_keys import KeysFileError, read_keys
from etter_dagster.settings_types import is_loopback

if TYPE_CHECKING:
    from etter_dagster.settings import Settings

_REDIS_PORT = 6379


def missing_for_production(settings: Settings) -> list[str]:
    """What `production` needs and these settings lack, each with its remedy.

    Args:
        settings: The settings.
    """
    keys = "set ETTER_API_KEYS_FILE (see `etter keys create`)"
    samples = "set ETTER_ENABLE_MOCK_DATA=false: they are for trials"
    return [
        *([keys] if settings.api_keys_file is None else []),
        *missing_stores(settings),
        *([samples] if settings.enable_mock_data else []),
    ]


def missing_stores(settings: Settings) -> list[str]:
    """Which real stores these settings do not name, each with its remedy.

    Args:
        settings: The settings.
    """
    needs = (
        (settings.neo4j_uri is None, "set ETTER_NEO4J_URI: SQLite is for one machine"),
        (settings.redis_host is None, "set ETTER_REDIS_HOST: SQLite is for one machine"),
        (
            settings.dagster_postgres_url is None,
            "set ETTER_DAGSTER_POSTGRES_URL: SQLite is for one machine",
        ),
    )
    return [remedy for lacking, remedy in needs if lacking]


def reasons_not_to_start(settings: Settings) -> list[str]:
    """Why a service must not start; empty if it may.

    Args:
        settings: The settings.
    """
    reasons = []
    if settings.environment == "production":
        reasons += [f"production: {remedy}" for remedy in missing_for_production(settings)]
    elif not is_loopback(settings.host) and settings.api_keys_file is None:
        reasons.append(
            f"ETTER_HOST={settings.host} is not loopback: set ETTER_API_KEYS_FILE, "
            "or anybody on the network may use it"
        )
    return reasons + _useless_keys(settings) + _unfinished(settings)


def _useless_keys(settings: Settings) -> list[str]:
    """A file of keys that lets nobody in, or is broken: once started, the last good one counts."""
    if settings.api_keys_file is None:
        return []
    remedy = "make a key with `etter keys create`"
    try:
        keys = read_keys(settings.api_keys_file)
    except KeysFileError as error:
        return [f"ETTER_API_KEYS_FILE: {error}; correct it, or {remedy}"]
    return [] if keys else [f"ETTER_API_KEYS_FILE holds no key: {remedy}"]


def _unfinished(settings: Settings) -> list[str]:
    """Choices that need another setting which is not there."""
    needs = (
        (
            settings.assessor == "workflow_api" and settings.workflow_api_base_url is None,
            "ETTER_ASSESSOR=workflow_api: set ETTER_WORKFLOW_API_BASE_URL",
        ),
        (
            settings.assessor == "llm" and None in (settings.llm_base_url, settings.llm_model),
            "ETTER_ASSESSOR=llm: set ETTER_LLM_BASE_URL and ETTER_LLM_MODEL",
        ),
        (
            settings.assessor != "exposure"
            and settings.cost_per_assessment is None
            and (settings.budget_per_day, settings.budget_per_month) != (None, None),
            "a budget is set: set ETTER_COST_PER_ASSESSMENT, or it cannot be kept",
        ),
        (
            settings.run_launcher == "celery" and settings.celery_broker_url is None,
            "ETTER_RUN_LAUNCHER=celery: set ETTER_CELERY_BROKER_URL",
        ),
        (
            settings.notify_webhook_url is not None and settings.notify_webhook_secret is None,
            "ETTER_NOTIFY_WEBHOOK_URL: set ETTER_NOTIFY_WEBHOOK_SECRET, or the receiver cannot "
            "tell who calls",
        ),
        *_tls(settings),
        (
            _broker_is_the_queue(settings),
            "ETTER_CELERY_BROKER_URL names the queue's own database: give it another than "
            "ETTER_REDIS_DB",
        ),
    )
    return [remedy for lacking, remedy in needs if lacking]


def _tls(settings: Settings) -> Iterator[tuple[bool, str]]:
    """A file of authorities that nothing uses, or that cannot be used."""
    path = settings.redis_ca_file
    if path is None:
        return
    broker = settings.celery_broker_url
    yield (
        not settings.redis_tls
        and (broker is None or not broker.get_secret_value().startswith("rediss:")),
        "ETTER_REDIS_CA_FILE: set ETTER_REDIS_TLS=true, or nothing is encrypted",
    )
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        yield True, f"ETTER_REDIS_CA_FILE: {path} holds no certificate in PEM"
    except OSError as error:
        yield True, f"ETTER_REDIS_CA_FILE: {path} cannot be read: {error.strerror}"


def _broker_is_the_queue(settings: Settings) -> bool:
    if settings.celery_broker_url is None or settings.redis_host is None:
        return False
    broker = urlsplit(settings.celery_broker_url.get_secret_value())
    database = broker.path.strip("/") or "0"
    host = broker.hostname or ""
    return (
        broker.scheme in ("redis", "rediss")
        and (
            host == settings.redis_host or (is_loopback(host) and is_loopback(settings.redis_host))
        )
        and (broker.port or _REDIS_PORT) == settings.redis_port
        and database == str(settings.redis_db)
    )
