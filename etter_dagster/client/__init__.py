"""Etter's REST service from Python."""

from etter_dagster.client.rest import AsyncEtterClient, EtterClient

__all__ = ["AsyncEtterClient", "EtterClient"]
