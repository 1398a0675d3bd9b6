"""Runs taken by workers on other machines: `RUN_LAUNCHER=celery`, real Redis and PostgreSQL."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
import yaml

from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import find_pushes
from etter_dagster_tests.servers.redis import RedisServer
from etter_dagster_tests.servers.stack import Stack, stack
from etter_dagster_tests.support import order

ROOT = Path(__file__).parents[2]


def test_the_copies_of_dagster_yaml_differ_in_the_launcher_and_where_output_goes_only() -> None:
    """What is tuned in one must not be forgotten in the other."""
    packaged = resources.files("etter_dagster.orchestration")
    embedded = packaged.joinpath("dagster.yaml").read_text()
    many = packaged.joinpath("dagster-celery.yaml").read_text()
    assert (ROOT / "deploy" / "dagster.yaml").read_text() == many
    one, other = yaml.safe_load(embedded), yaml.safe_load(many)
    assert other.pop("run_launcher")["class"] == "EtterCeleryRunLauncher"
    assert one.pop("run_launcher")["class"] == "DefaultRunLauncher"
    assert other.pop("compute_logs")["class"] == "NoOpComputeLogManager"
    assert one == other


@pytest.fixture
def running(tmp_path: Path, redis: RedisServer, postgres_url: str) -> Iterator[Stack]:
    with stack(tmp_path, redis, postgres_url) as made:
        made.daemon()
        yield made


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_workers_share_the_work_and_one_told_to_end_loses_nothing(running: Stack) -> None:
    """A rolling deploy: no attempt is lost, no role waits for a lease to lapse."""
    first, second = running.worker(), running.worker()
    ids = running.push([order(f"role {i}", f"company {i % 3}") for i in range(60)])
    running.wait_ready(ids, 0.2)
    first.send_signal(signal.SIGTERM)
    assert first.wait(120) == 0, running.logs()
    running.wait_ready(ids)
    assert second.poll() is None

    async def attempts(services: Services) -> set[int]:
        return {push.attempts for push in (await find_pushes(services, ids)).values()}

    assert running.work(attempts) == {1}
