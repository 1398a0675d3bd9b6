"""`etter drain` and `etter worker` as an operator calls them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from etter_dagster.settings import Settings
from etter_dagster.stores import open_queue
from etter_dagster.stores.migrations import migrate
from etter_dagster.stores.protocols import ClaimLimits
from etter_dagster_tests.contract.records import new_push


def etter(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("etter")
    return subprocess.run(
        [program, *words],
        env=os.environ | {"ETTER_DATA_DIR": str(settings.data_dir)},
        capture_output=True,
        text=True,
        timeout=120,
    )


async def test_drain_holds_claims_and_says_what_is_still_in_work(settings: Settings) -> None:
    """A deploy asks by the exit code whether it may end the workers."""
    queue = open_queue(settings)
    await queue.enqueue([new_push("a"), new_push("b")], capacity=10)
    (claim,) = await queue.claim("w", 1, limits=ClaimLimits(), lease_seconds=600)
    drained = etter(settings, "drain", "--timeout", "0.2", "--json")
    assert drained.returncode == 1
    assert json.loads(drained.stdout) == {"in_work": 1, "waiting": 1, "held": True}
    assert await queue.claim("w", 1, limits=ClaimLimits(), lease_seconds=600) == []
    await queue.give_back(claim.push.workflow_id, claim.token)
    drained = etter(settings, "drain", "--json")
    assert (drained.returncode, json.loads(drained.stdout)["in_work"]) == (0, 0)
    assert etter(settings, "drain", "--end").returncode == 0
    assert len(await queue.claim("w", 5, limits=ClaimLimits(), lease_seconds=600)) == 2
    await queue.close()


@pytest.mark.parametrize("words", [[], ["--concurrency", "1"]])
def test_a_worker_without_celery_says_what_to_set(settings: Settings, words: list[str]) -> None:
    refused = etter(settings, "worker", *words)
    assert refused.returncode == 2
    assert "ETTER_RUN_LAUNCHER" in refused.stderr


async def test_a_worker_refuses_stores_of_another_version(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it takes runs, and each of them fails."""
    pytest.importorskip("celery", reason="pip install 'etter-dagster[celery]'")
    await migrate(settings)
    with sqlite3.connect(settings.data_dir / "graph.db") as connection:
        connection.execute("PRAGMA user_version=99")
    monkeypatch.setenv("ETTER_RUN_LAUNCHER", "celery")
    monkeypatch.setenv("ETTER_CELERY_BROKER_URL", "redis://127.0.0.1:1/1")
    refused = etter(settings, "worker")
    assert refused.returncode == 3
    assert "newer Etter" in refused.stderr
