"""The assessor that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from etter_dagster.assessors.workflow_api.assessor import WorkflowApiAssessor
from etter_dagster.assessors.workflow_api.client import ServiceClient
from etter_dagster.settings import Settings


def open_workflow_api(settings: Settings, clock: Callable[[], datetime]) -> WorkflowApiAssessor:
    """The assessment service; connected at first use.

    Args:
        settings: `workflow_api_*`.
        clock: The present, in UTC.

    Raises:
        ValueError: It is not said where the service is.
    """
    if settings.workflow_api_base_url is None:
        raise ValueError("ETTER_ASSESSOR=workflow_api: set ETTER_WORKFLOW_API_BASE_URL")
    token = settings.workflow_api_token
    client = ServiceClient(
        settings.workflow_api_base_url,
        token=token.get_secret_value() if token else None,
        timeout=settings.workflow_api_timeout,
        clock=clock,
    )
    return WorkflowApiAssessor(client, store_in_neo4j=settings.workflow_api_store_in_neo4j)
