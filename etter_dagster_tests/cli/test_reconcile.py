"""`etter reconcile`: over the stores and the Dagster instance of the settings."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from etter_dagster.cli.engine import configure_dagster
from etter_dagster.onboarding.accept import accept_many
from etter_dagster.onboarding.services import open_services
from etter_dagster.settings import get_settings
from etter_dagster_tests.cli.conftest import Etter
from etter_dagster_tests.support import order, work_off


async def onboard() -> None:
    """Two roles, of which Dagster hears nothing."""
    services = open_services()
    try:
        await accept_many(services, [order("Analyst"), order("Baker")])
        await work_off(services)
    finally:
        await services.close()


def test_what_dagster_never_heard_of_is_told_to_it(
    etter: Etter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "dagster"
    home.mkdir()
    configure_dagster(home, get_settings())
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    get_settings.cache_clear()
    asyncio.run(onboard())
    found = etter("reconcile", "--dry-run", "--json").json
    assert (len(found["no_partition"]), len(found["not_materialized"])) == (2, 2)
    assert "4 mended" in etter("reconcile").stderr
    assert etter("reconcile", "--json").json == {
        "no_partition": [],
        "not_materialized": [],
        "other_version": [],
        "unknown_role": [],
        "reconciled": True,
    }


def test_without_dagster_it_says_what_to_do(etter: Etter) -> None:
    ran = etter("reconcile")
    assert ran.code == 3
    assert "etter up" in ran.stderr
