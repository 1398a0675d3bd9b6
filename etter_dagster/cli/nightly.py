"""What would be re-assessed and why, and doing it now. Works on the stores of this machine's
settings, with or without a service running.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etter_dagster.cli.failures import FAILED, end
from etter_dagster.cli.service import Json

if TYPE_CHECKING:
    from etter_dagster.model.reassessment import Plan, PlannedRole
    from etter_dagster.onboarding.nightly import Nightly

Limit = Annotated[int, typer.Option(metavar="N", help="At most so many rows.", min=1)]
Every = Annotated[bool, typer.Option("--all", help="All rows, however many.")]


def plan(limit: Limit = 50, every: Every = False, json: Json = False) -> None:
    """Shows which roles the night would assess again, why, and at what cost.

    Works on the stores of this machine's settings.
    """
    from etter_dagster.cli.output import print_json

    made, _ = _make(push=False)
    if json:
        print_json(_as_json(made))
        return
    _print(made, None if every else limit)


def nightly(json: Json = False) -> None:
    """Assesses again what is stale, now instead of tonight; twice a day pushes nothing twice.

    Works on the stores of this machine's settings; a running service does the work.
    """
    from etter_dagster.cli.output import counted, print_json, say, tell

    made, done = _make(push=True)
    assert done is not None
    if json:
        print_json({**_as_json(made), "pushed": done.pushed, "refused": done.refused})
    else:
        tell(f"{counted(done.pushed, 'role')} pushed of {len(made.roles)} that are stale")
        for verdict, count in made.verdicts.items():
            say(f"  {count} {verdict}")
        for why, count in done.refused.items():
            say(f"  {count} refused: {why}")
    if done.refused:
        end(FAILED)


def _make(*, push: bool) -> tuple[Plan, Nightly | None]:
    from etter_dagster.cli.store_settings import settings_of_stores
    from etter_dagster.onboarding.nightly import push_plan, reassessment_plan
    from etter_dagster.onboarding.services import open_services

    async def run() -> tuple[Plan, Nightly | None]:
        services = open_services(settings_of_stores())
        try:
            made = await reassessment_plan(services)
            return made, await push_plan(services, made) if push else None
        finally:
            await services.close()

    return asyncio.run(run())


def _as_json(made: Plan) -> dict[str, Any]:
    return {
        "stale_roles": len(made.roles),
        "estimated_cost": made.cost,
        "budget_left": made.budget_left,
        "queued_cost": made.queued_cost,
        "verdicts": made.verdicts,
        "roles": [_row_json(planned) for planned in made.roles],
    }


def _row_json(planned: PlannedRole) -> dict[str, Any]:
    from etter_dagster.model.staleness import rfc3339

    role = planned.role
    return {
        "role_id": role.role_id,
        "company": role.company_id,
        "role_name": role.role_name,
        "why": role.why.value,
        "reasons": [reason.model_dump() for reason in role.reasons],
        "assessed_at": rfc3339(role.made_at),
        "cost": planned.cost,
        "verdict": planned.verdict.value,
    }


def _print(made: Plan, limit: int | None) -> None:
    from etter_dagster.cli.output import counted, print_table, say
    from etter_dagster.model.staleness import said_reason

    shown = made.roles if limit is None else made.roles[:limit]
    print_table(
        ["verdict", "role", "company", "reasons", "assessed", "cost", "role id"],
        [
            [
                planned.verdict,
                planned.role.role_name,
                planned.role.company_id,
                "; ".join(map(said_reason, planned.role.reasons)),
                planned.role.made_at,
                planned.cost,
                planned.role.role_id,
            ]
            for planned in shown
        ],
    )
    cost = "unknown" if made.cost is None else f"{made.cost:g}"
    left = "" if made.budget_left is None else f" of {made.budget_left:g} left in the budget"
    if made.queued_cost:
        left += f", beside {made.queued_cost:g} for pushes in the queue"
    say(f"{len(made.pushes)} of {len(made.roles)} stale roles would be pushed; cost {cost}{left}")
    if len(shown) < len(made.roles):
        say(f"{len(shown)} of {counted(len(made.roles), 'row')}; --all shows all")
