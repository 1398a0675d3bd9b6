"""The command line against a real service: uvicorn in a thread, stores in the test's folder."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from typer.testing import CliRunner

from etter_dagster.cli.app import app
from etter_dagster.onboarding.serving import serve
from etter_dagster.onboarding.steps import Step
from etter_dagster.settings import Settings, get_settings
from etter_dagster_tests.rest import lent_app
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.support import (
    JD,
    Recorder,
    ScriptedAssessor,
    scripted_services,
    work_off,
)


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def error(self) -> dict[str, Any]:
        """The REST error body of a command with --json."""
        detail: dict[str, Any] = json.loads(self.stderr)["detail"]
        return detail

    @property
    def table(self) -> list[dict[str, str]]:
        """The printed table: off a terminal, lines with tabs under a header."""
        lines = [line.split("\t") for line in self.stdout.splitlines() if "\t" in line]
        return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


Etter = Callable[..., Ran]
# The command in a process of its own.
ETTER = [sys.executable, "-c", "from etter_dagster.cli import main; main()"]


@pytest.fixture
def etter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Etter]:
    """Runs `etter ARGUMENTS` in this process. Where no service is started, port 9 refuses."""
    monkeypatch.setenv("ETTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ETTER_PORT", "9")
    monkeypatch.setenv("ETTER_DAGSTER_PORT", "9")
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()

    def run(*arguments: object, stdin: str | bytes | None = None) -> Ran:
        get_settings.cache_clear()
        result = CliRunner().invoke(app, [str(one) for one in arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    yield run
    get_settings.cache_clear()


@dataclass
class Served:
    """A running service; its work is done when a test says so."""

    url: str
    settings: Settings
    assessor: ScriptedAssessor
    recorder: Recorder = field(default_factory=Recorder)
    asked: list[str] = field(default_factory=list)

    def watched(self) -> bool:
        """Whether somebody has opened an event stream."""
        return any(path.endswith("/events") for path in self.asked)

    def work(self, *more_steps: Step) -> None:
        """Everything that waits is worked on to its end."""

        async def once() -> None:
            services = scripted_services(self.settings, self.assessor)
            services = replace(services, steps=(*services.steps, *more_steps))
            try:
                await work_off(services, self.recorder)
            finally:
                await services.close()

        asyncio.run(once())

    @contextmanager
    def working(self) -> Iterator[None]:
        """Work goes on meanwhile, as it does under Dagster."""
        stop = threading.Event()

        async def until_stopped() -> None:
            services = scripted_services(self.settings, self.assessor)
            end = asyncio.Event()
            serving_run = asyncio.create_task(
                serve(
                    services,
                    worker="test",
                    reporter=self.recorder,
                    places=50,
                    linger_seconds=60.0,
                    claim_seconds=60.0,
                    stop=end,
                )
            )
            await asyncio.to_thread(stop.wait)
            end.set()
            await serving_run
            await services.close()

        thread = threading.Thread(target=lambda: asyncio.run(until_stopped()), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture
def service(etter: Etter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A service that `etter` finds by its settings."""
    settings = Settings(
        data_dir=tmp_path / "data", enable_mock_data=False, dagster_port=9, retry_backoff_seconds=0
    )
    assessor = ScriptedAssessor()
    asked: list[str] = []
    with lent_app(settings, lambda given: scripted_services(given, assessor)) as (rest, _):

        async def noting(scope: Scope, receive: Receive, send: Send) -> None:
            asked.append(scope["path"])
            await rest(scope, receive, send)

        with serving(noting) as url:
            monkeypatch.setenv("ETTER_PORT", url.rpartition(":")[2])
            yield Served(url, settings, assessor, asked=asked)


@pytest.fixture
def jd(tmp_path: Path) -> Path:
    """A job description in a file."""
    path = tmp_path / "analyst.md"
    path.write_text(JD)
    return path


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """Two good roles of Acme."""
    path = tmp_path / "roles.csv"
    path.write_text(
        "company,role,draup_role,jd\n"
        f'Acme,Analyst,Data Analyst,"{JD}"\n'
        f'Acme,Clerk,Office Clerk,"{JD}"\n'
    )
    return path
