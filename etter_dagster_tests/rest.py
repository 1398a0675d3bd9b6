"""What tests of REST, client and pages share: the real app over embedded stores, in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from etter_dagster.api import create_app
from etter_dagster.api.app import PREFIX
from etter_dagster.api.runtime import OpenWith, Runtime, use_settings
from etter_dagster.onboarding.services import Services
from etter_dagster.settings import Settings
from etter_dagster_tests.support import JD, Recorder, ScriptedAssessor, scripted_services, work_off

BASE = f"http://test{PREFIX}"


@dataclass
class Rest:
    """A running service as tests use it."""

    app: FastAPI
    runtime: Runtime
    http: httpx.AsyncClient
    assessor: ScriptedAssessor
    recorder: Recorder = field(default_factory=Recorder)

    async def services(self) -> Services:
        return (await self.runtime.opened()).services

    async def work(self) -> None:
        """Everything that waits is worked on to its end."""
        await work_off(await self.services(), self.recorder)

    async def push(self, role_name: str = "Analyst", company: str = "Acme", **more: Any) -> str:
        """Pushes a role that passes the checks; gives the workflow id."""
        answer = await self.http.post("/push", json=push_body(role_name, company, **more))
        assert answer.status_code == 200, answer.text
        workflow_id: str = answer.json()["workflow_id"]
        return workflow_id

    async def ready(self, role_name: str = "Analyst", company: str = "Acme") -> dict[str, Any]:
        """Pushes a role and works it off; gives its status."""
        workflow_id = await self.push(role_name, company)
        await self.work()
        status: dict[str, Any] = (await self.http.get(f"/status/{workflow_id}")).json()
        assert status["status"] == "ready", status
        return status


def push_body(role_name: str = "Analyst", company: str = "Acme", **more: Any) -> dict[str, Any]:
    return {
        "company_id": company,
        "role_name": role_name,
        "documents": [{"type": "job_description", "content": JD}],
        "draup_role_name": "Data Analyst",
        **more,
    }


def error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The error of an answer, after checking that it is whole and as expected."""
    assert answer.status_code == status, answer.text
    detail: dict[str, Any] = answer.json()["detail"]
    assert detail["error"] == code, detail
    assert detail["message"]
    assert isinstance(detail["recoverable"], bool)
    return detail


_idle: list[FastAPI] = []


@contextmanager
def lent_app(settings: Settings, open_with: OpenWith) -> Iterator[tuple[FastAPI, Runtime]]:
    """The app with a runtime of these settings; another test gets the same app afterwards.

    FastAPI completes the routes at an app's first request, which takes longer than most tests.
    """
    app = _idle.pop() if _idle else create_app()
    yield app, use_settings(app, settings, open_with)
    _idle.append(app)


@asynccontextmanager
async def rest_of(settings: Settings, *, client: str = "127.0.0.1") -> AsyncIterator[Rest]:
    """The app over the stores of `settings`, with a scripted assessor.

    Args:
        settings: Of a test's own folder.
        client: The address that requests seem to come from.
    """
    assessor = ScriptedAssessor()
    with lent_app(settings, lambda given: scripted_services(given, assessor)) as (app, runtime):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(client, 50000))
        async with httpx.AsyncClient(transport=transport, base_url=BASE, timeout=30) as http:
            yield Rest(app, runtime, http, assessor)
        await runtime.close()
