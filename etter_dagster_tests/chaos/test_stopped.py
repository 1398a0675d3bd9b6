"""`etter up` told to stop while a role is in work: it ends in time, and the role is given back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from etter_dagster_tests.chaos.service import processes_of, up
from etter_dagster_tests.cli.processes import eventually
from etter_dagster_tests.standin.app import create_standin
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.standin.state import ASSESS, StandinState
from etter_dagster_tests.support import JD

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
BODY = {
    "company_id": "Acme",
    "role_name": "Analyst",
    "draup_role_name": "Data Analyst",
    "documents": [{"type": "job_description", "content": JD}],
}


def test_a_role_in_work_is_given_back_at_once_and_no_attempt_counts(tmp_path: Path) -> None:
    """Its assessment would take an hour, its lease ten minutes: neither is waited for."""
    data, state = tmp_path / "data", StandinState(delay=3600)
    with serving(create_standin(state)) as url:
        settings = {
            "ETTER_ASSESSOR": "workflow_api",
            "ETTER_WORKFLOW_API_BASE_URL": url,
            "ETTER_LEASE_SECONDS": "600",
        }
        with up(data, **settings) as service:
            path = f"/status/{service.post('/push', json=BODY)['workflow_id']}"
            eventually(lambda: state.count(ASSESS) == 1, "the role is in work", 240)
            service.process.terminate()
            told = time.monotonic()
            service.process.wait(60)
            assert time.monotonic() - told < 20, "the contract: all has ended within 20 s"
            assert processes_of(data) == []
        state.delay = 0
        with up(data, **settings) as service:
            eventually(lambda: service.get(path)["completed_at"], "the role has ended", 240)
            status = service.get(path)
            assert (status["status"], status["attempts"]) == ("ready", 1)
