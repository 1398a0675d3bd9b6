"""Terminal records of pushes that were never queued; they do not move the role.

Pure but for the clock: who writes them to the history is the caller's part.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from etter_dagster.model.claim_order import Lane
from etter_dagster.model.errors import EtterError
from etter_dagster.model.identity import MAX_NAME, normalize_name, role_id
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import LANE_OF, Push, PushError, Source, StepRecord, StepStatus
from etter_dagster.onboarding.services import Services


def refused_record(
    services: Services, item: Mapping[str, Any], workflow_id: str, error: EtterError
) -> Push:
    """A failed push with the refusal as its error.

    Args:
        services: Steps and clock.
        item: The push as the caller wrote it, whatever it holds.
        workflow_id: Its id.
        error: Why it was refused.
    """
    steps = [StepRecord(name=s.name, status=StepStatus.SKIPPED) for s in services.steps]
    return _record(services, item, workflow_id).model_copy(
        update={
            "status": WorkflowState.FAILED,
            "steps": tuple(steps),
            "error": PushError(
                code=error.code.value, message=error.message, recoverable=error.recoverable
            ),
        }
    )


def ready_record(
    services: Services, item: Mapping[str, Any], workflow_id: str, made: Push | None
) -> Push:
    """A ready push that shows what an earlier one made.

    Args:
        services: The clock.
        item: The push as the caller wrote it.
        workflow_id: Its id.
        made: The push that made the role ready, where it is known.
    """
    shown = (
        {}
        if made is None
        else {name: getattr(made, name) for name in ("steps", "assessor", "ai_automation_score")}
    )
    return _record(services, item, workflow_id).model_copy(
        update={"status": WorkflowState.READY, **shown}
    )


def record_role_id(item: Mapping[str, Any]) -> str:
    """The role that an item names; also of names that no role can have."""
    return role_id(record_name(item, "company_id"), record_name(item, "role_name"))


def record_name(item: Mapping[str, Any], field: str) -> str:
    """A name as far as it can be stored and shown."""
    given = item.get(field)
    name = normalize_name(given) if isinstance(given, str) else ""
    return "".join(
        "\ufffd" if unicodedata.category(char) in ("Cc", "Cs") else char for char in name
    )[:MAX_NAME]


def _record(services: Services, item: Mapping[str, Any], workflow_id: str) -> Push:
    now = services.clock()
    return Push(
        workflow_id=workflow_id,
        role_id=record_role_id(item),
        company_id=record_name(item, "company_id"),
        role_name=record_name(item, "role_name"),
        source=Source.GRAPHQL,
        lane=LANE_OF.get(Source.GRAPHQL, Lane.INTERACTIVE),
        created_by=record_name(item, "created_by") or None,
        queued_at=now,
        completed_at=now,
    )
