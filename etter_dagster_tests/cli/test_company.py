"""`etter company delete`: over the stores and the Dagster instance of the settings."""

from __future__ import annotations

import asyncio
import getpass
import json
from pathlib import Path

import pytest

from etter_dagster.cli.engine import configure_dagster
from etter_dagster.onboarding.accept import accept_many
from etter_dagster.onboarding.services import Services, open_services
from etter_dagster.orchestration.events import data_versions
from etter_dagster.orchestration.runless import open_instance
from etter_dagster.settings import get_settings
from etter_dagster.stores.protocols import AuditEntry
from etter_dagster_tests.cli.conftest import Etter
from etter_dagster_tests.support import order, work_off


@pytest.fixture
def two_companies(etter: Etter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Etter:
    """Two assessed roles of Acme and one of Globex, all shown in Dagster; one more waits each."""
    home = tmp_path / "dagster"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    get_settings.cache_clear()
    configure_dagster(home, get_settings())
    asyncio.run(_onboard())
    assert etter("reconcile").code == 0
    return etter


async def _onboard() -> None:
    services = open_services()
    try:
        await accept_many(
            services, [order("Analyst"), order("Baker"), order("Analyst", company_id="Globex")]
        )
        await work_off(services)
        await accept_many(services, [order("Cook"), order("Cook", company_id="Globex")])
    finally:
        await services.close()


def instance_shows() -> tuple[set[str], set[str]]:
    """Keys of partitions, and those with an assessment that is shown."""
    with open_instance(get_settings()) as instance:
        partitions = set(instance.get_dynamic_partitions("roles"))
        return partitions, set(data_versions(instance, "ai_assessment"))


def audit() -> list[AuditEntry]:
    async def read(services: Services) -> list[AuditEntry]:
        try:
            entries, _ = await services.graph.audit(["Acme"], cursor=None, limit=9)
            return entries
        finally:
            await services.close()

    return asyncio.run(read(open_services()))


def test_a_company_is_gone_from_stores_and_dagster_and_another_is_not(
    two_companies: Etter,
) -> None:
    before, _ = instance_shows()
    globex = two_companies("export", "--company", "Globex").stdout
    gone = two_companies("company", "delete", "Acme", "--yes", "--json")
    assert gone.json == {
        "company": "Acme",
        "roles": 3,
        "pushes": 3,
        "partitions": 3,
        "paid_calls_kept": 0,
    }
    assert two_companies("export", "--company", "Globex").stdout == globex
    left = two_companies("export", "--company", "Acme").stdout.splitlines()
    assert [next(iter(json.loads(line))) for line in left] == ["etter_export", "audit", "end"]
    partitions, shown = instance_shows()
    assert len(before) > len(partitions)
    assert len(shown) == 1
    assert shown <= partitions
    (entry,) = audit()
    assert (entry.action, entry.actor, entry.created_by, entry.detail) == (
        "delete_company",
        "cli",
        getpass.getuser(),
        {"roles": 3},
    )
    found = two_companies("reconcile", "--dry-run", "--json").json
    assert found["unknown_role"] == []
    assert found["no_partition"] == []


def test_one_that_broke_off_is_repeated(
    two_companies: Etter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The graph comes last: as long as it knows the company, the rest can be found."""

    def broken(*_: object) -> None:
        raise ConnectionError("cut")

    with monkeypatch.context() as cut:
        cut.setattr("etter_dagster.orchestration.company.delete_partitions", broken)
        with pytest.raises(ConnectionError):
            two_companies("company", "delete", "Acme", "--yes")
    assert audit() == []
    assert two_companies("company", "delete", "Acme", "--yes").code == 0
    assert len(audit()) == 1


def test_it_asks_first(two_companies: Etter) -> None:
    """Without an answer, as in a pipe, nothing is deleted."""
    for answer in ("n\n", ""):
        ran = two_companies("company", "delete", "Acme", stdin=answer)
        assert (ran.code, "Delete 'Acme' with its 3 roles" in ran.stderr) == (2, True)
    assert two_companies("company", "delete", "Acme", stdin="y\n").code == 0
    again = two_companies("company", "delete", "Acme", "--yes", "--json")
    assert (again.code, again.error["error"]) == (2, "NOT_FOUND")
