"""Etter from Python: its REST service, and what a platform does with Dagster through the gate."""

from etter_dagster.client.platform import AsyncPlatformClient, PlatformClient
from etter_dagster.client.rest import AsyncEtterClient, EtterClient

__all__ = ["AsyncEtterClient", "AsyncPlatformClient", "EtterClient", "PlatformClient"]
