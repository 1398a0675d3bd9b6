"""Starts a real `etter up` in a folder of its own for a benchmark, and measures its processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

PREFIX = "/api/v1/pipeline"


@dataclass
class Service:
    """A running service: a client for its REST interface, and its process."""

    http: httpx.Client
    process: subprocess.Popen[bytes]
    data_dir: Path

    def get(self, path: str, **params: Any) -> Any:
        """GET, as JSON."""
        answer = self.http.get(PREFIX + path, params=params)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: Any = None) -> Any:
        """POST, as JSON."""
        answer = self.http.post(PREFIX + path, json=body)
        answer.raise_for_status()
        return answer.json()

    def wait(self, workflow_id: str, seconds: float = 60.0) -> str:
        """Waits until a push has ended; its status."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.get(f"/status/{workflow_id}")["status"]
            if status not in ("queued", "processing"):
                return str(status)
            time.sleep(0.005)
        raise TimeoutError(f"{workflow_id} did not end within {seconds} s")

    def processor_seconds(self) -> float:
        """Processor time of all its processes so far, ended ones too: steadier than a clock."""
        root = psutil.Process(self.process.pid)
        total = 0.0
        for process in (root, *root.children(recursive=True)):
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system + times.children_user + times.children_system
        return total

    def runs(self) -> list[psutil.Process]:
        """Processes of Dagster runs, the largest first."""
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = " ".join(child.cmdline())
                if "spawn_main" in line or "execute_run" in line:
                    found.append((child.memory_info().rss, child))
            except psutil.Error:
                continue
        return [process for _, process in sorted(found, key=lambda pair: -pair[0])]


@contextmanager
def running(**settings: str) -> Iterator[Service]:
    """An `etter up` on free ports with an empty data folder, for the time of a block."""
    with tempfile.TemporaryDirectory(prefix="etter-benchmark-") as folder:
        data = Path(folder)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ETTER_")}
        environment.pop("DAGSTER_HOME", None)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment |= {"ETTER_DATA_DIR": folder, **settings}
        with (data / "up.log").open("wb") as log:
            process = subprocess.Popen(
                [str(Path(sys.executable).with_name("etter")), "up"],
                env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            with httpx.Client(base_url=_url(data, process), timeout=60) as http:
                service = Service(http, process, data)
                _wait_healthy(service)
                yield service
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _url(data: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if (data / "up.json").exists():
            return str(json.loads((data / "up.json").read_text())["url"])
        time.sleep(0.05)
    raise RuntimeError("etter up did not start:\n" + (data / "up.log").read_text())


def _wait_healthy(service: Service) -> None:
    """Until the Dagster daemon has a heartbeat: only then is a first push typical."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            if service.get("/health")["status"] == "healthy":
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise TimeoutError("the service did not get healthy")
