"""Counts by state are those of the list, whatever makes a role's state."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.model.identity import role_id
from etter_dagster.model.lifecycle import RoleStatus
from etter_dagster.onboarding.accept import accept
from etter_dagster.onboarding.roles import define_role, list_roles, states_of
from etter_dagster.onboarding.services import Services
from etter_dagster.settings import Settings
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.support import ScriptedAssessor, forced, order, scripted_services, work_off


@pytest.fixture
async def services(settings: Settings, clock: Clock) -> AsyncIterator[Services]:
    """Roles in every state but `processing`."""
    script = ScriptedAssessor(script=[AssessmentFailed("no")])
    opened = scripted_services(settings, script, clock=clock)
    await accept(opened, order("failed"))
    await work_off(opened)
    for name in ("old", "again"):
        await accept(opened, order(name))
    await work_off(opened)
    clock.tick(timedelta(days=20).total_seconds())
    for name in ("ready", "remapped"):
        await accept(opened, order(name))
    await work_off(opened)
    await opened.graph.put_role("Acme", "remapped", draup_role_name="Other")
    await define_role(opened, "Acme", "draft")
    await define_role(opened, "Acme", "refused")
    await opened.graph.move_role(role_id("Acme", "refused"), RoleStatus.VALIDATION_ERROR)
    for name in ("new", "again"):
        await accept(opened, order(name, options=forced()))
    yield opened
    await opened.close()


async def listed(services: Services) -> Counter[RoleStatus]:
    rows, total, _ = await list_roles(services, "Acme", limit=200)
    assert len(rows) == total
    return Counter(row.state for row in rows)


async def test_counts_are_those_of_the_list(services: Services, clock: Clock) -> None:
    counts = await states_of(services, " Acme ")
    assert counts == await listed(services)
    assert {state.value: n for state, n in counts.items()} == {
        "failed": 1,
        "ready": 2,
        "stale": 1,
        "draft": 1,
        "validation_error": 1,
        "queued": 2,
    }
    clock.tick(timedelta(days=15).total_seconds())
    counts = await states_of(services, "Acme")
    assert counts == await listed(services)
    assert counts[RoleStatus.STALE] == 2, "one got too old meanwhile"
    (claim,) = await services.queue.claim("w", 1, limits=services.limits, lease_seconds=30)
    counts = await states_of(services, "Acme")
    assert counts == await listed(services)
    assert (counts[RoleStatus.QUEUED], counts[RoleStatus.PROCESSING]) == (1, 1)
    assert claim.push.role_name in ("new", "again")
