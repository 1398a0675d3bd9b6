"""A real `etter up` for tests that kill things: in a folder of its own, on free ports."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from etter_dagster_tests.cli.processes import eventually, own_ports, started

PREFIX = "/api/v1/pipeline"
READY_SECONDS = 90.0


@dataclass
class Up:
    """A running service."""

    url: str
    process: psutil.Process
    data_dir: Path

    def post(self, path: str, **request: Any) -> dict[str, Any]:
        answer = httpx.post(f"{self.url}{PREFIX}{path}", timeout=60, **request)
        assert answer.status_code == httpx.codes.OK, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        answer = httpx.get(f"{self.url}{PREFIX}{path}", params=params, timeout=60)
        assert answer.status_code == httpx.codes.OK, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """Asks Dagster's webserver."""
        url = json.loads((self.data_dir / "up.json").read_text())["dagster_url"]
        answer = httpx.post(
            f"{url}/graphql", json={"query": query, "variables": variables}, timeout=60
        )
        body: dict[str, Any] = answer.json()["data"]
        return body

    def runs(self) -> list[psutil.Process]:
        """Processes of Dagster runs."""
        found = []
        for process in psutil.process_iter(["cmdline", "environ"]):
            line = " ".join(process.info["cmdline"] or ())
            mine = (process.info["environ"] or {}).get("ETTER_DATA_DIR") == str(self.data_dir)
            if mine and ("spawn_main" in line or "execute_run" in line):
                found.append(process)
        return found


def processes_of(data_dir: Path) -> list[psutil.Process]:
    """All living processes that work on a data folder, `etter up` itself included."""
    found = []
    for process in psutil.process_iter(["environ", "status"]):
        if (process.info["environ"] or {}).get("ETTER_DATA_DIR") == str(data_dir) and process.info[
            "status"
        ] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


@contextmanager
def up(data_dir: Path, **settings: str) -> Iterator[Up]:
    """`etter up` over a data folder; killed at the end if it still runs."""
    data_dir.mkdir(exist_ok=True)
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("ETTER_")},
        "ETTER_DATA_DIR": str(data_dir),
        **own_ports(),
        "ETTER_ENABLE_MOCK_DATA": "false",
        **settings,
    }
    where = data_dir / "up.json"
    where.unlink(missing_ok=True)
    command = [str(Path(sys.executable).with_name("etter")), "up"]
    with started(command, env=environment, log=data_dir / "up.log") as process:
        eventually(lambda: where.exists() or process.poll() is not None, "up.json is written")
        assert process.poll() is None, (data_dir / "up.log").read_text()
        service = Up(json.loads(where.read_text())["url"], psutil.Process(process.pid), data_dir)
        eventually(lambda: _takes_pushes(service), "the service takes pushes")
        yield service


def _takes_pushes(service: Up) -> bool:
    try:
        return httpx.get(f"{service.url}{PREFIX}/health", timeout=5).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def wait_ended(service: Up, batch_id: str, seconds: float) -> dict[str, Any]:
    """The batch's status once all of it has ended."""
    deadline = time.monotonic() + seconds
    while True:
        status = service.get(f"/batch-status/{batch_id}")
        if status["completed"] + status["failed"] + status["cancelled"] == status["total"]:
            return status
        assert time.monotonic() < deadline, {k: v for k, v in status.items() if k != "roles"}
        time.sleep(0.25)


def assessments(data_dir: Path) -> Counter[tuple[str, str]]:
    """How many assessments there are of each (role, inputs)."""
    with sqlite3.connect(data_dir / "graph.db") as connection:
        rows = connection.execute("SELECT role_id, inputs_hash FROM assessments").fetchall()
    return Counter((role, inputs) for role, inputs in rows)
