"""`push_roles`: the job by which the platform, speaking GraphQL only, puts pushes on the queue.

What is done with the orders, and what becomes of refused ones, is in `onboarding/handing_in.py`.
"""

# Dagster reads an op's annotations as objects: no `from __future__ import annotations` here.

import asyncio
from collections.abc import Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from etter_dagster.model.errors import EtterError
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster.model.push import Push, Source
from etter_dagster.onboarding.handing_in import hand_in
from etter_dagster.onboarding.services import open_services
from etter_dagster.orchestration.metadata import metadata_values
from etter_dagster.orchestration.run_tags import KIND_TAG, LANE_TAG, SOURCE_TAG
from etter_dagster.settings import Settings

ROWS_SHOWN = 1000  # verdicts in the run's metadata; refused ones first


class PushConfig(dg.PermissiveConfig):
    """One push. What it holds is checked push by push, so that a bad one never blocks the rest.

    Not a dict: in a map, Dagster's own checks fail on a null without saying where it is.
    """


class PushRolesConfig(dg.Config):
    """Run config of `push_roles`."""

    pushes: list[PushConfig] = Field(
        description="The pushes, each as REST takes it: company_id, role_name, and, where they are "
        "not known yet, documents [{type, content, name}] and draup_role_name or draup_role_id; "
        "also options and created_by. A single push may name documents by uri."
    )
    idempotency_key: str = Field(
        description="1-255 characters of the caller's choice. The same key and pushes within 24 h "
        "queue nothing twice; the same key with other pushes fails the run."
    )
    api_key_id: str = Field(
        default="dagster",
        description="Id of the API key that asks; the gate sets it. The workflow ids follow from "
        "it, the idempotency key and each push's index.",
    )


def build_push_roles_job(settings: Settings) -> dg.JobDefinition:
    """`push_roles`: puts a list of pushes on the queue.

    Args:
        settings: Stores and limits.
    """

    @dg.op(
        description="Puts each push on the queue; one that is refused has a failed record.",
    )
    def queue_pushes(context: dg.OpExecutionContext, config: PushRolesConfig) -> None:
        try:
            pushes = asyncio.run(_hand_in(settings, config))
        except EtterError as error:
            raise dg.Failure(
                f"{error.code.value}: {error.message}",
                metadata={"error": error.code.value, "recoverable": error.recoverable},
                allow_retries=False,
            ) from error
        context.add_output_metadata(metadata_values(verdicts(pushes)))

    @dg.job(
        name="push_roles",
        tags={KIND_TAG: "pushes", SOURCE_TAG: Source.GRAPHQL.value, LANE_TAG: "interactive"},
        executor_def=dg.in_process_executor,
        description=(
            "Puts pushes on the queue for callers of GraphQL. Each push's workflow id follows from "
            "the API key's id, the idempotency key and its index, so the caller knows it before. "
            "A refused push ends `failed` with its error code, one whose role is ready and "
            "unchanged ends `ready`; neither moves the role."
        ),
    )
    def push_roles() -> None:
        queue_pushes()

    return push_roles


async def _hand_in(settings: Settings, config: PushRolesConfig) -> list[Push]:
    services = open_services(settings)
    try:
        return await hand_in(
            services,
            [push.model_dump() for push in config.pushes],
            key_id=config.api_key_id,
            key=config.idempotency_key,
        )
    finally:
        await services.close()


def verdicts(pushes: Sequence[Push]) -> dict[str, Any]:
    """What a person sees of the run: counts, and a row per push, refused ones first.

    Args:
        pushes: In the order given.
    """
    refused = [p for p in pushes if p.status is WorkflowState.FAILED]
    rows = [
        {
            "index": index,
            "workflow_id": push.workflow_id,
            "company": push.company_id,
            "role": push.role_name,
            "status": push.status.value,
            "error": push.error.code if push.error else "",
            "message": push.error.message if push.error else "",
        }
        for index, push in enumerate(pushes)
    ]
    rows.sort(key=lambda row: (not row["error"], row["index"]))
    return {
        "pushes": len(pushes),
        "refused": len(refused),
        "verdicts": rows[:ROWS_SHOWN],
    }
