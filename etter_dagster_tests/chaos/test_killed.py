"""Whatever dies, a pushed role gets ready, once: real processes, killed with -9."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from etter_dagster_tests.chaos.service import assessments, processes_of, up, wait_ended
from etter_dagster_tests.cli.processes import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

OCCUPATIONS = Path(__file__).parents[2] / "examples" / "occupations.csv"
CSV = {"content": OCCUPATIONS.read_bytes(), "headers": {"Content-Type": "text/csv"}}


def test_a_run_killed_in_the_middle_of_the_727_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """Leases lapse, another run goes on, and no role has two assessments of the same inputs."""
    with up(tmp_path / "data", ETTER_LEASE_SECONDS="5") as service:
        batch = service.post("/push-batch", **CSV)
        assert batch["rejected"] == []
        path = f"/batch-status/{batch['batch_id']}"
        tenth = batch["total_roles"] // 10
        eventually(lambda: service.get(path)["completed"] > tenth, "a tenth", every=0.1)
        before = service.get(path)["completed"]
        killed = service.runs()
        assert killed, "no run was working"
        for process in killed:
            process.kill()
        assert before < batch["total_roles"], "they were ready before the kill"
        status = wait_ended(service, batch["batch_id"], 200)
        assert (status["completed"], status["failed"]) == (727, 0)
        made = assessments(service.data_dir)
        assert len(made) == 727
        assert set(made.values()) == {1}


def test_everything_killed_at_once_and_started_again_loses_nothing(tmp_path: Path) -> None:
    """`kill -9` of `etter up` leaves no process behind; the next start goes on."""
    data = tmp_path / "data"
    with up(data, ETTER_LEASE_SECONDS="5") as service:
        batch = service.post("/push-batch", **CSV)
        path = f"/batch-status/{batch['batch_id']}"
        eventually(lambda: service.get(path)["completed"] > 20, "some are ready", every=0.1)
        service.process.kill()
        eventually(lambda: processes_of(data) == [], "no process is left")
    with up(data, ETTER_LEASE_SECONDS="5") as service:
        status = wait_ended(service, batch["batch_id"], 200)
        assert (status["completed"], status["failed"]) == (727, 0)
        assert set(assessments(data).values()) == {1}
        service.process.terminate()
        ended = time.monotonic()
        service.process.wait(30)
        assert time.monotonic() - ended < 20, "the contract: all has ended within 20 s of SIGTERM"
        assert processes_of(data) == []
