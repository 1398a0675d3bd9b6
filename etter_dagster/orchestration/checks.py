"""Asset checks over all roles, and `failed_roles`, the table that an operator opens first."""

# Dagster reads an op's annotations as objects: no `from __future__ import annotations` here.

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import dagster as dg

from etter_dagster.model.agreement import SHOWN
from etter_dagster.model.errors import EtterError
from etter_dagster.onboarding.overview import (
    TroubledRole,
    failure_rate,
    roles_in,
    troubled_roles,
)
from etter_dagster.onboarding.services import Services, open_services
from etter_dagster.orchestration.agreeing import find_disagreement
from etter_dagster.orchestration.assets import OWNER
from etter_dagster.orchestration.metadata import metadata_values
from etter_dagster.orchestration.reassessment import GROUP
from etter_dagster.orchestration.run_tags import complete_tags
from etter_dagster.settings import Settings

T = TypeVar("T")
ROWS_SHOWN = 500
NAMED = 50  # roles that a failed check names
FAILURE_HOURS = 24
FAILURE_RATE = 0.05
OLD = timedelta(hours=3)  # from which on the hourly table says nothing of now
FEWEST = 20  # pushes from which on a rate says something
# Not on the role assets: whoever materializes one role would check all of them.
ASSET = "failed_roles"


def build_failed_roles(settings: Settings) -> dg.AssetsDefinition:
    """`failed_roles`: what did not become ready, and why.

    Args:
        settings: Stores.
    """

    @dg.asset(
        name="failed_roles",
        group_name=GROUP,
        owners=[OWNER],
        kinds={"table"},
        description=(
            "Open this first when something is wrong: every role that failed, is degraded or was "
            "refused, with the error and where to look. Made anew every hour; materialize it to "
            "see how things stand now. Push what can go on with `push_known_roles` or "
            "`etter retry`."
        ),
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=OLD),
        code_version="1",
    )
    def failed_roles(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        complete_tags(context, "checks")
        found = _with_services(settings, troubled_roles)
        return dg.MaterializeResult(metadata=metadata_values(shown_failures(settings, found)))

    return failed_roles


def build_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """The checks over all roles, shown at `failed_roles` and run whenever that is made.

    Args:
        settings: Stores.
    """

    @dg.asset_check(
        asset=ASSET,
        name="ready_roles_are_assessed",
        description="Every ready role has a current assessment with a score within 0-100.",
    )
    def ready_roles_are_assessed() -> dg.AssetCheckResult:
        bad, count = _with_services(settings, _not_assessed)
        return _result(bad, {"roles": count}, "has no assessment, or a score out of bounds")

    @dg.asset_check(
        asset=ASSET,
        name="dagster_and_graph_agree",
        description="Every ready role has its partition, and its newest assessment as a "
        "materialization of ai_assessment. If it fails: `etter reconcile`.",
    )
    def dagster_and_graph_agree(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        async def look(services: Services) -> Any:
            return await find_disagreement(services, context.instance)

        found = _with_services(settings, look)
        return _result(
            [*found.no_partition, *found.to_report],
            {
                "no_partition": len(found.no_partition),
                "not_materialized": len(found.not_materialized),
                "other_version": len(found.other_version),
                "unknown_partitions": len(found.unknown_role),
            },
            "differs; `etter reconcile` makes both agree",
            severity=dg.AssetCheckSeverity.WARN,
        )

    @dg.asset_check(
        asset=ASSET,
        name="few_pushes_fail",
        description=f"At most {FAILURE_RATE:.0%} of the pushes of the last {FAILURE_HOURS} hours "
        "failed. If it warns: look at the table by error.",
    )
    def few_pushes_fail() -> dg.AssetCheckResult:
        async def look(services: Services) -> tuple[int, int]:
            return await failure_rate(services, hours=FAILURE_HOURS)

        failed, ended = _with_services(settings, look)
        rate = failed / ended if ended else 0.0
        return dg.AssetCheckResult(
            passed=ended < FEWEST or rate <= FAILURE_RATE,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{failed} of {ended} pushes failed",
            metadata=metadata_values({"failed": failed, "ended": ended, "rate": rate}),
        )

    return [ready_roles_are_assessed, dagster_and_graph_agree, few_pushes_fail]


def shown_failures(settings: Settings, found: Sequence[TroubledRole]) -> dict[str, Any]:
    """Failed roles as metadata: counts by error, and a row per role, the newest first.

    Args:
        settings: Where the roles' pages are.
        found: The newest first.
    """
    codes = Counter(f"{t.role.state.value}: {t.code or 'no code'}" for t in found)
    return {
        "roles": len(found),
        "by_error": [{"error": code, "roles": n} for code, n in codes.most_common()],
        "failed_roles": [_row(settings, troubled) for troubled in found[:ROWS_SHOWN]],
        "rows_left_out": max(0, len(found) - ROWS_SHOWN) or None,
    }


def _row(settings: Settings, troubled: TroubledRole) -> dict[str, Any]:
    role = troubled.role
    return {
        "role": role.role_name,
        "company": role.company_id,
        "state": role.state.value,
        "error": troubled.code,
        "message": troubled.message,
        "ended_at": troubled.ended_at.isoformat(timespec="seconds"),
        "attempts": troubled.attempts,
        "source": troubled.source,
        "workflow_id": role.workflow_id,
        "role_id": role.role_id,
        "page": settings.dashboard_url(role.company_id, role.role_id),
    }


async def _not_assessed(services: Services) -> tuple[list[str], int]:
    bad, count = [], 0
    async for role in roles_in(services, SHOWN):
        count += 1
        if role.current is None or not 0 <= role.current.final_score <= 100:
            bad.append(role.role_id)
    return bad, count


def _result(
    bad: Iterable[str],
    counts: dict[str, int],
    what: str,
    *,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    ids = list(dict.fromkeys(bad))
    return dg.AssetCheckResult(
        passed=not ids,
        severity=severity,
        description=f"{_roles(len(ids))}: {what}" if ids else "all is well",
        metadata=metadata_values({**counts, "role_ids": [{"role_id": rid} for rid in ids[:NAMED]]}),
    )


def _roles(count: int) -> str:
    return "1 role" if count == 1 else f"{count} roles"


def _with_services(settings: Settings, act: Callable[[Services], Awaitable[T]]) -> T:
    async def run() -> T:
        services = open_services(settings)
        try:
            return await act(services)
        finally:
            await services.close()

    try:
        return asyncio.run(run())
    except EtterError as error:
        raise dg.Failure(f"{error.code.value}: {error.message}", allow_retries=False) from error
