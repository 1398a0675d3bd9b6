"""`etter reconcile`: Dagster, queue and graph brought to agree again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from etter_dagster.cli.service import Json

if TYPE_CHECKING:
    from etter_dagster.model.agreement import Disagreement


def reconcile(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what differs; change nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Makes Dagster, queue and graph agree again: after a restore, or when the check says so.

    The graph is the authority. Nothing is assessed or deleted. Works on the stores of this
    machine's settings.
    """
    from dataclasses import asdict

    from etter_dagster.cli.output import print_json, print_table, say

    found = asyncio.run(_run(dry_run))
    if json:
        print_json({**asdict(found), "reconciled": not dry_run})
        return
    print_table(
        ["what differs", "roles", "what is done"],
        [
            ["no partition in Dagster", len(found.no_partition), "added"],
            ["assessment not shown in Dagster", len(found.not_materialized), "reported"],
            ["another assessment shown in Dagster", len(found.other_version), "reported"],
            ["partition that the graph does not know", len(found.unknown_role), "left"],
        ],
    )
    say("nothing was changed" if dry_run else f"{found.count - len(found.unknown_role)} mended")


async def _run(dry_run: bool) -> Disagreement:
    from etter_dagster.cli.store_settings import settings_of_stores
    from etter_dagster.onboarding.services import open_services
    from etter_dagster.orchestration.agreeing import find_disagreement, reconcile
    from etter_dagster.orchestration.runless import open_instance

    settings = settings_of_stores()
    services = open_services(settings)
    try:
        with open_instance(settings) as instance:
            act = find_disagreement if dry_run else reconcile
            return await act(services, instance)
    finally:
        await services.close()
