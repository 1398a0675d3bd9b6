"""`push_known_roles`: any roles by their ids, however scattered, from Dagster's UI.

A backfill of scattered partitions becomes a run for each range of neighbours; this puts the roles
on the queue instead, where the serving runs take them hundreds at a time.
"""

# Dagster reads an op's annotations as objects: no `from __future__ import annotations` here.

import asyncio
from collections.abc import Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from etter_dagster.model.claim_order import Lane
from etter_dagster.model.errors import EtterError
from etter_dagster.model.push import Source, WorkflowOptions
from etter_dagster.model.role import Role
from etter_dagster.onboarding.accept import Accepted, accept_many
from etter_dagster.onboarding.batches import MAX_BATCH
from etter_dagster.onboarding.check import PushOrder
from etter_dagster.onboarding.partition_run import UNKNOWN
from etter_dagster.onboarding.services import open_services
from etter_dagster.orchestration.metadata import metadata_values
from etter_dagster.orchestration.run_tags import person_asked
from etter_dagster.settings import Settings

ROWS_SHOWN = 1000


class KnownRolesConfig(dg.Config):
    """Run config of `push_known_roles`."""

    role_ids: list[str] = Field(
        description=f"Ids of roles, as reassessment_plan and failed_roles show them; at most "
        f"{MAX_BATCH}."
    )
    force_rerun: bool = Field(
        default=False,
        description="Assess them anew although nothing changed. Costs what an assessment costs.",
    )


def build_push_known_roles_job(settings: Settings) -> dg.JobDefinition:
    """`push_known_roles`: puts roles on the queue by their ids.

    Args:
        settings: Stores and limits.
    """

    @dg.op(description="Puts each role on the queue and says what became of it.")
    def queue_known_roles(context: dg.OpExecutionContext, config: KnownRolesConfig) -> None:
        if len(config.role_ids) > MAX_BATCH:
            raise dg.Failure(f"role_ids: at most {MAX_BATCH} are allowed", allow_retries=False)
        user = context.run.tags.get("user")
        try:
            rows = asyncio.run(_push(settings, config.role_ids, config.force_rerun, user))
        except EtterError as error:
            raise dg.Failure(f"{error.code.value}: {error.message}", allow_retries=False) from error
        rows.sort(key=lambda row: not row["error"])
        context.add_output_metadata(
            metadata_values(
                {
                    "roles": len(rows),
                    "refused": sum(bool(row["error"]) for row in rows),
                    "verdicts": rows[:ROWS_SHOWN],
                }
            )
        )

    @dg.job(
        name="push_known_roles",
        tags=person_asked("pushes", Lane.BULK.value),
        executor_def=dg.in_process_executor,
        description=(
            "For people: pushes any roles by their ids, e.g. those that failed_roles or "
            "reassessment_plan show. Use it instead of a backfill where the roles are scattered: "
            "a backfill makes a run of each range. A ready, unchanged role is left as it is "
            "unless `force_rerun` is set."
        ),
    )
    def push_known_roles() -> None:
        queue_known_roles()

    return push_known_roles


async def _push(
    settings: Settings, role_ids: Sequence[str], force_rerun: bool, user: str | None
) -> list[dict[str, Any]]:
    services = open_services(settings)
    try:
        ids = list(dict.fromkeys(rid.strip() for rid in role_ids))
        roles = await services.graph.roles_by_id(ids)
        orders = [
            PushOrder(
                company_id=role.company_id,
                role_name=role.role_name,
                options=WorkflowOptions(force_rerun=force_rerun),
                source=Source.DAGSTER,
                created_by=user,
                lane=Lane.BULK if len(roles) > 1 else Lane.INTERACTIVE,
            )
            for role in roles.values()
        ]
        answers = dict(zip(roles, await accept_many(services, orders), strict=True))
    finally:
        await services.close()
    return [_row(rid, roles.get(rid), answers.get(rid)) for rid in ids]


def _row(rid: str, role: Role | None, answer: Accepted | EtterError | None) -> dict[str, Any]:
    row = {"role_id": rid, "role": role.role_name if role else ""}
    if isinstance(answer, Accepted):
        return row | {
            "workflow_id": answer.workflow_id,
            "status": answer.status.value,
            "error": "",
            "message": answer.message,
        }
    code, message = (answer.code.value, answer.message) if answer else ("NOT_FOUND", UNKNOWN)
    return row | {"workflow_id": "", "status": "", "error": code, "message": message}
