"""`reassessment_plan`: the table of what is stale and what is done about it."""

# Dagster reads an op's annotations as objects: no `from __future__ import annotations` here.

import asyncio
from typing import Any

import dagster as dg
from pydantic import Field

from etter_dagster.model.errors import EtterError
from etter_dagster.model.reassessment import Plan, PlannedRole, Verdict
from etter_dagster.model.staleness import said_reason
from etter_dagster.onboarding.nightly import Nightly, push_plan, reassessment_plan
from etter_dagster.onboarding.services import open_services
from etter_dagster.orchestration.assets import OWNER
from etter_dagster.orchestration.events import smallest_interval
from etter_dagster.orchestration.metadata import metadata_values
from etter_dagster.orchestration.run_tags import complete_tags
from etter_dagster.settings import Settings

GROUP = "overview"
ROWS_SHOWN = 500


class PlanConfig(dg.Config):
    """Run config of `reassessment_plan`."""

    push: bool = Field(
        default=False,
        description="Push what the plan says. The nightly schedule sets it; by hand, off only "
        "plans. A second time on the same day pushes nothing twice.",
    )


def build_reassessment_plan(settings: Settings) -> dg.AssetsDefinition:
    """`reassessment_plan`: which assessments no longer hold, and what is done about them.

    Args:
        settings: Stores, cost, budget, cron.
    """

    @dg.asset(
        name="reassessment_plan",
        group_name=GROUP,
        owners=[OWNER],
        kinds={"table"},
        description=(
            "Every stale role with its reasons, the estimated cost, and what is left out and why: "
            "open the newest materialization. Materialize it by hand to see what the night would "
            "do; with `push: true` it is done now, within the budgets, on the background lane."
        ),
        freshness_policy=dg.FreshnessPolicy.cron(
            deadline_cron=settings.nightly_cron,
            lower_bound_delta=smallest_interval(settings.nightly_cron),
            timezone=settings.nightly_timezone,
        ),
        code_version="1",
    )
    def plan_asset(
        context: dg.AssetExecutionContext, config: PlanConfig
    ) -> dg.MaterializeResult[Any]:
        complete_tags(context, "plan", "background")
        try:
            plan, nightly = asyncio.run(_plan(settings, push=config.push))
        except EtterError as error:
            raise dg.Failure(f"{error.code.value}: {error.message}", allow_retries=False) from error
        return dg.MaterializeResult(metadata=metadata_values(shown_plan(plan, nightly)))

    return plan_asset


async def _plan(settings: Settings, *, push: bool) -> tuple[Plan, Nightly | None]:
    services = open_services(settings)
    try:
        plan = await reassessment_plan(services)
        return plan, await push_plan(services, plan) if push else None
    finally:
        await services.close()


def shown_plan(plan: Plan, nightly: Nightly | None) -> dict[str, Any]:
    """The plan as metadata: counts, and a row per role, those to push first.

    Args:
        plan: The plan.
        nightly: What pushing it came to; None if it was only made.
    """
    verdicts = plan.verdicts
    return {
        "stale_roles": len(plan.roles),
        "to_push": verdicts.get(Verdict.PUSH.value, 0),
        "estimated_cost": plan.cost,
        "budget_left": plan.budget_left,
        "queued_cost": plan.queued_cost or None,
        "pushed": None if nightly is None else nightly.pushed,
        "refused": [
            {"why": why, "roles": count}
            for why, count in (nightly.refused if nightly else {}).items()
        ],
        "verdicts": [{"verdict": name, "roles": count} for name, count in verdicts.items()],
        "plan": [_row(planned) for planned in plan.roles[:ROWS_SHOWN]],
        "rows_left_out": max(0, len(plan.roles) - ROWS_SHOWN) or None,
    }


def _row(planned: PlannedRole) -> dict[str, Any]:
    role = planned.role
    return {
        "role": role.role_name,
        "company": role.company_id,
        "why": role.why.value,
        "reasons": "; ".join(map(said_reason, role.reasons)),
        "assessed_at": role.made_at.isoformat(timespec="seconds"),
        "cost": planned.cost,
        "verdict": planned.verdict.value,
        "remedy": "; ".join(dict.fromkeys(reason.remedy for reason in role.reasons)),
        "role_id": role.role_id,
    }
