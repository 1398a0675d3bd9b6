"""`etter doctor` where runs are taken by workers of Celery."""

from __future__ import annotations

from pathlib import Path

import pytest

from etter_dagster.cli.doctor_workers import check_workers
from etter_dagster.settings import Settings
from etter_dagster_tests.cli.processes import eventually
from etter_dagster_tests.servers.redis import RedisServer
from etter_dagster_tests.servers.stack import stack


def test_nobody_is_asked_where_runs_are_processes() -> None:
    assert list(check_workers(Settings())) == []


def test_a_broker_that_does_not_answer_is_named_without_its_password() -> None:
    url = "redis://:hunter2@127.0.0.1:1/1"
    (check,) = check_workers(Settings(run_launcher="celery", celery_broker_url=url))
    assert check.state == "unreachable"
    assert "ETTER_CELERY_BROKER_URL" in check.remedy
    assert "hunter2" not in str(check)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_deployment_without_a_worker_is_not_well(
    tmp_path: Path, redis: RedisServer, postgres_url: str
) -> None:
    """Every other part answers, and pushes wait for ever."""
    with stack(tmp_path, redis, postgres_url) as made:
        (check,) = check_workers(made.settings)
        assert (check.state, "etter worker" in check.remedy) == ("unreachable", True)
        made.worker()
        eventually(
            lambda: next(check_workers(made.settings)).state == "ok", "a worker answers", 120
        )
