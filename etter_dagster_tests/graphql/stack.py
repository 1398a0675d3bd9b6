"""A real Dagster webserver over embedded storage, and our service in front of it as its gate."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml

from etter_dagster.api import create_app
from etter_dagster.client import PlatformClient
from etter_dagster.onboarding.roles import define_role
from etter_dagster.onboarding.services import Services, open_services
from etter_dagster.settings import Settings
from etter_dagster_tests.cli.processes import eventually, started
from etter_dagster_tests.keys import add_key, secret_of
from etter_dagster_tests.servers.shared import free_port
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.support import order, work_off

T = TypeVar("T")
LOOK_SECONDS = 0.2
DIRECT = {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"}


@dataclass(frozen=True)
class Stack:
    """Where everything is.

    Attributes:
        url: Our service.
        dagster: Dagster's webserver, without authentication.
        settings: Of both.
        home: Dagster's folder.
    """

    url: str
    dagster: str
    settings: Settings
    home: Path

    def client(self, key_id: str) -> PlatformClient:
        """A client that looks more often than users do: a run takes a second or two here."""
        return PlatformClient(
            self.url,
            api_key=secret_of(key_id),
            timeout=120,
            sleep=lambda seconds: time.sleep(min(seconds, LOOK_SECONDS)),
        )

    def ask(self, key_id: str, query: str, **variables: Any) -> httpx.Response:
        """A request to the gate, as anybody sends it."""
        return httpx.post(
            f"{self.url}/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {secret_of(key_id)}"},
            timeout=120,
        )

    def dagster_data(self, query: str, **variables: Any) -> dict[str, Any]:
        """What Dagster itself answers."""
        request = {"query": query, "variables": variables}
        answer = httpx.post(f"{self.dagster}/graphql", json=request, timeout=120).json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    def work(self, act: Callable[[Services], Awaitable[T]]) -> T:
        """Does something with services over the same stores."""

        async def run() -> T:
            services = open_services(self.settings)
            try:
                return await act(services)
            finally:
                await services.close()

        with ThreadPoolExecutor(1) as other:  # a test may have an event loop of its own
            return other.submit(lambda: asyncio.run(run())).result()

    def work_off(self) -> None:
        """Everything that waits is worked on to its end."""
        self.work(work_off)

    def define(self, role_name: str, company: str = "Acme") -> str:
        """A role that a run can work on; gives its id."""

        async def act(services: Services) -> str:
            view = await define_role(
                services,
                company,
                role_name,
                draup_role_name="Data Analyst",
                documents=order().documents,
            )
            return view.role_id

        return self.work(act)

    @contextmanager
    def daemon(self) -> Iterator[None]:
        """Dagster's daemon for the time of a block: backfills need it."""
        command = [sys.executable, "-m", "dagster._daemon", "run", "-w", str(self.workspace)]
        with started(command, env=environment(self.settings), log=self.home / "daemon.log") as it:
            try:
                yield
            finally:
                _end(it)

    @property
    def workspace(self) -> Path:
        return self.home / "workspace.yaml"


@contextmanager
def stack(folder: Path) -> Iterator[Stack]:
    """Both servers for the time of a block.

    Args:
        folder: The test's own.
    """
    keys = folder / "keys.json"
    add_key(keys, "platform", "Acme", scope="push")
    add_key(keys, "reader", "Acme", scope="read")
    add_key(keys, "colleague", "Acme", scope="push")
    add_key(keys, "globex", "Globex", scope="push")
    add_key(keys, "everybody", scope="read")
    add_key(keys, "admin", scope="admin")
    add_key(keys, "acme-admin", "Acme", scope="admin")
    port = free_port()
    settings = Settings(
        data_dir=folder,
        api_keys_file=keys,
        enable_mock_data=False,
        dagster_port=port,
        linger_seconds=0,
        retry_backoff_seconds=0,
    )
    home = settings.dagster_home
    home.mkdir()
    ours = resources.files("etter_dagster.orchestration").joinpath("dagster.yaml").read_text()
    # The queue of runs needs the daemon, which most tests do without.
    config = {**yaml.safe_load(ours), "run_coordinator": DIRECT}
    del config["concurrency"]
    (home / "dagster.yaml").write_text(yaml.safe_dump(config))
    module = {"module_name": "etter_dagster_tests.graphql.location", "location_name": "etter"}
    (home / "workspace.yaml").write_text(yaml.safe_dump({"load_from": [{"python_module": module}]}))
    log = home / "webserver.log"
    command = [
        *(sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port)),
        *("-w", str(home / "workspace.yaml")),
    ]
    with started(command, env=environment(settings), log=log) as process:
        dagster = f"http://127.0.0.1:{port}"
        eventually(lambda: _up(dagster) or process.poll() is not None, "Dagster answers", 180)
        assert process.poll() is None, log.read_text()
        try:
            with serving(create_app(settings)) as url:
                yield Stack(url, dagster, settings, home)
        finally:
            _end(process)


def environment(settings: Settings) -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith("ETTER_")}
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    return {
        **own,
        "ETTER_DATA_DIR": str(settings.data_dir),
        "ETTER_ENABLE_MOCK_DATA": "false",
        "ETTER_LINGER_SECONDS": "0",
        "ETTER_RETRY_BACKOFF_SECONDS": "0",
        "DAGSTER_HOME": str(settings.dagster_home),
    }


def _up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/server_info", timeout=5).is_success
    except httpx.HTTPError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(60)
    with suppress(ProcessLookupError):  # its code server and runs
        os.killpg(process.pid, signal.SIGKILL)
