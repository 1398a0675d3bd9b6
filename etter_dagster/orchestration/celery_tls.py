"""TLS to Celery's broker, of which Celery by itself would check no certificate."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urlsplit

from etter_dagster.settings import Settings


def broker_tls(settings: Settings) -> dict[str, Any]:
    """Celery's configuration for a `rediss://` broker, and for results, which are kept there too.

    Args:
        settings: `celery_broker_url`, whose own `ssl_...` parameters go before; `redis_ca_file`.
    """
    url = settings.celery_broker_url
    parts = urlsplit(url.get_secret_value() if url else "")
    if parts.scheme != "rediss" or "ssl_" in parts.query:
        return {}
    checks: dict[str, Any] = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    if settings.redis_ca_file is not None:
        checks["ssl_ca_certs"] = str(settings.redis_ca_file)
    return {"broker_use_ssl": checks, "redis_backend_use_ssl": checks}
