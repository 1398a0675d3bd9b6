"""Paid assessments through a real `etter up`: REST, Dagster and the stand-in of the service."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from etter_dagster_tests.chaos.service import PREFIX, Up, up
from etter_dagster_tests.cli.processes import eventually
from etter_dagster_tests.standin.app import create_standin
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.standin.state import ASSESS, HEALTH, Fault, StandinState
from etter_dagster_tests.support import JD

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
RUNS = "{ runsOrError { ... on Runs { results { status } } } }"
ROLES, BUDGET = 12, 5


def batch(service: Up) -> str:
    roles = [
        {
            "role_name": f"role {n}",
            "draup_role_name": "Analyst",
            "documents": [{"type": "job_description", "content": f"{JD}\n- Look after {n}\n"}],
        }
        for n in range(ROLES)
    ]
    made = service.post("/push-batch", json={"company_id": "Acme", "roles": roles})
    assert made["rejected"] == []
    return str(made["batch_id"])


def until(holds: Callable[[], object], what: str) -> None:
    """Waits with patience: the first serving run may start slowly where much else runs."""
    eventually(holds, what, seconds=240.0)


def states(service: Up, batch_id: str) -> Counter[str]:
    body: Any = service.get(f"/batch-status/{batch_id}")
    return Counter(role["status"] for role in body["roles"])


def test_a_spent_budget_and_a_service_that_is_down_as_operators_see_them(tmp_path: Path) -> None:
    """Pushes wait, no run is launched for them, a new push hears why, health says what is off."""
    state = StandinState()
    with (
        serving(create_standin(state)) as url,
        up(
            tmp_path / "data",
            ETTER_ASSESSOR="workflow_api",
            ETTER_WORKFLOW_API_BASE_URL=url,
            ETTER_COST_PER_ASSESSMENT="1",
            ETTER_BUDGET_PER_MONTH=str(BUDGET),
            ETTER_LINGER_SECONDS="1",
        ) as service,
    ):
        batch_id = batch(service)
        wanted = {"ready": BUDGET, "queued": ROLES - BUDGET}
        until(lambda: states(service, batch_id) == wanted, "the budget is paid out")
        assert state.count(ASSESS) == BUDGET

        def finished() -> list[str]:
            found = service.graphql(RUNS)["runsOrError"]["results"]
            return [run["status"] for run in found]

        until(lambda: set(finished()) == {"SUCCESS"}, "the serving run has ended")
        before = finished()
        waited = time.monotonic() + 12  # two rounds of the sensor's daemon
        until(lambda: time.monotonic() > waited, "the sensor had its chance")
        assert finished() == before, "no run is launched for pushes that must wait"
        assert states(service, batch_id) == wanted

        body = {
            "company_id": "Acme",
            "role_name": "one more",
            "draup_role_name": "Analyst",
            "documents": [{"type": "job_description", "content": JD}],
        }
        answer = httpx.post(f"{service.url}{PREFIX}/push", json=body, timeout=60)
        assert answer.status_code == httpx.codes.TOO_MANY_REQUESTS
        assert answer.json()["detail"]["error"] == "BUDGET_EXCEEDED"
        assert int(answer.headers["retry-after"]) > 0
        mock = httpx.post(f"{service.url}{PREFIX}/push?use_mock=true", json=body, timeout=60)
        assert mock.status_code == httpx.codes.OK
        workflow_id = mock.json()["workflow_id"]
        until(
            lambda: service.get(f"/status/{workflow_id}")["status"] == "ready", "the mock is ready"
        )

        state.fail(HEALTH, Fault(status=503), times=None)
        began = time.monotonic()

        def down() -> bool:
            health = httpx.get(f"{service.url}{PREFIX}/health", timeout=60).json()
            return (health["components"]["assessor"], health["status"]) == ("unhealthy", "degraded")

        until(down, "the health says that the service is down")
        assert time.monotonic() - began < 30
        assert "etter_budget_left 0.0" in httpx.get(f"{service.url}/metrics", timeout=60).text


def test_waiting_pushes_go_on_once_etter_up_is_started_with_a_higher_budget(tmp_path: Path) -> None:
    """Settings are read when a process starts: raising a budget needs this one restart."""
    state = StandinState()
    with serving(create_standin(state)) as url:
        settings = {
            "ETTER_ASSESSOR": "workflow_api",
            "ETTER_WORKFLOW_API_BASE_URL": url,
            "ETTER_COST_PER_ASSESSMENT": "1",
            "ETTER_LINGER_SECONDS": "1",
        }
        with up(tmp_path / "data", **settings, ETTER_BUDGET_PER_DAY=str(BUDGET)) as service:
            batch_id = batch(service)
            wanted = {"ready": BUDGET, "queued": ROLES - BUDGET}
            until(lambda: states(service, batch_id) == wanted, "the budget is paid out")
        with up(tmp_path / "data", **settings, ETTER_BUDGET_PER_DAY=str(ROLES - 1)) as service:
            raised = {"ready": ROLES - 1, "queued": 1}
            until(lambda: states(service, batch_id) == raised, "the others go on")
        assert state.count(ASSESS) == ROLES - 1
