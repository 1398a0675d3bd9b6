"""Paid assessments end to end: real stores, the real guard, the stand-in of the service."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from etter_dagster.model.documents import DocumentRef
from etter_dagster.model.push import Push
from etter_dagster.onboarding.accept import accept_many
from etter_dagster.onboarding.services import Services, open_services
from etter_dagster.onboarding.status import find_pushes
from etter_dagster.settings import Settings
from etter_dagster_tests.servers.redis import RedisServer
from etter_dagster_tests.standin.app import create_standin
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.standin.state import ASSESS, StandinState
from etter_dagster_tests.support import JD, order

COMPANY = "Acme"


@dataclass
class Paid:
    """One world: the services of this process, and what the service was asked."""

    services: Services
    state: StandinState

    async def push(self, names: list[str], **more: object) -> list[str]:
        """Pushes roles; gives the workflow ids of those that were accepted."""
        orders = [
            order(
                name,
                COMPANY,
                documents=(DocumentRef(content=f"{JD}\n- Look after {name}\n"),),
                **more,
            )
            for name in names
        ]
        answers = await accept_many(self.services, orders)
        return [answer.workflow_id for answer in answers if not isinstance(answer, Exception)]

    async def pushes(self, workflow_ids: list[str]) -> dict[str, Push]:
        return await find_pushes(self.services, workflow_ids)

    async def states(self, workflow_ids: list[str]) -> Counter[str]:
        return await states(self.services, workflow_ids)

    async def ledger_counts(self) -> Counter[str]:
        """Attempts by role name, without those that never left this machine."""
        attempts = await self.services.ledger.attempts(limit=100_000)
        roles = await self.services.graph.roles_by_id([a.call.role_id for a in attempts])
        return Counter(
            roles[a.call.role_id].role_name for a in attempts if a.outcome.value != "unsent"
        )

    def standin_counts(self) -> Counter[str]:
        """Assessments asked for by role name, as the service counted them."""
        return Counter({role or "": n for (_, role), n in self.state.counts(ASSESS).items()})


async def states(services: Services, workflow_ids: list[str]) -> Counter[str]:
    """How many of the pushes are in each state."""
    found = await find_pushes(services, workflow_ids)
    return Counter(push.status.value for push in found.values())


@pytest.fixture
def state() -> StandinState:
    return StandinState()


@pytest.fixture(params=["sqlite", "redis"])
def stores(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Settings of each kind of queue and ledger."""
    if request.param == "sqlite":
        return settings
    server: RedisServer = request.getfixturevalue("redis")
    return server.settings(settings)


@pytest.fixture
def paid_settings(stores: Settings, state: StandinState) -> Iterator[Settings]:
    with serving(create_standin(state)) as url:
        yield stores.with_changes(
            assessor="workflow_api",
            workflow_api_base_url=url,
            workflow_api_timeout=2,
            cost_per_assessment=1.0,
            optional_steps="none",
            lease_seconds=2,
        )


@pytest.fixture
async def paid(paid_settings: Settings, state: StandinState) -> AsyncIterator[Paid]:
    services = open_services(paid_settings)
    yield Paid(services, state)
    await services.close()


Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def workers(paid_settings: Settings) -> Iterator[Start]:
    """Starts serving processes on the same stores; what is left of them is killed at the end."""
    with starting(paid_settings) as start:
        yield start


@contextmanager
def starting(settings: Settings) -> Iterator[Start]:
    """Starts serving processes on the stores of the settings; kills what is left at the end."""
    started: list[subprocess.Popen[bytes]] = []
    values = {
        name: getattr(settings, name)
        for name in settings.model_fields_set
        if getattr(settings, name) is not None
    }
    values["optional_steps"] = "none"
    if settings.redis_password:
        values["redis_password"] = settings.redis_password.get_secret_value()
    env = {**os.environ, **{f"ETTER_{k.upper()}": str(v) for k, v in values.items()}}

    def start(name: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "etter_dagster_tests.paid.worker", name]
        started.append(subprocess.Popen(command, env=env, start_new_session=True))
        return started[-1]

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()


WAITED = timedelta(seconds=150)
