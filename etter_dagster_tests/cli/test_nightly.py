"""`etter plan` and `etter nightly`: on the stores, with or without a service."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from etter_dagster.model.identity import role_id
from etter_dagster.onboarding.services import open_services
from etter_dagster.settings import get_settings
from etter_dagster_tests.cli.conftest import Etter
from etter_dagster_tests.support import make_one_of_two_stale

BAKER = role_id("Acme", "Baker")


@pytest.fixture
def stale(etter: Etter) -> Etter:
    """Two roles of which one is stale."""

    async def run() -> None:
        get_settings.cache_clear()
        services = open_services()
        try:
            await make_one_of_two_stale(services)
        finally:
            await services.close()

    asyncio.run(run())
    return etter


def test_the_plan_says_which_roles_and_why(stale: Etter) -> None:
    ran = stale("plan")
    (row,) = ran.table
    assert (row["verdict"], row["role"], row["role id"]) == ("push", "Baker", BAKER)
    assert row["reasons"].startswith("jd_hash: ")
    assert "1 of 1 stale roles would be pushed" in ran.stderr
    found = stale("plan", "--json").json
    assert (found["stale_roles"], found["verdicts"]) == (1, {"push": 1})
    (reason,) = found["roles"][0]["reasons"]
    assert (reason["field"], bool(reason["remedy"])) == ("jd_hash", True)


def test_nightly_does_it_once(stale: Etter) -> None:
    assert stale("nightly", "--json").json["pushed"] == 1
    ran = stale("nightly")
    assert (ran.code, ran.stdout) == (0, "0 roles pushed of 1 that are stale\n")
    assert "in work already" in ran.stderr


def test_a_store_that_cannot_be_reached_is_exit_code_3(
    etter: Etter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ETTER_DATA_DIR", str(tmp_path / "file"))
    assert etter("plan").code == 3
