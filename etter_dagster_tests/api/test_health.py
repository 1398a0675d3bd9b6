from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from etter_dagster.api.dagster_health import QUESTION
from etter_dagster.api.health import Health
from etter_dagster.api.lately import KEEP_SECONDS
from etter_dagster.model.errors import StoreUnavailable
from etter_dagster.onboarding.views import HealthView
from etter_dagster.settings import Settings
from etter_dagster_tests.rest import Rest, rest_of
from etter_dagster_tests.standin.catalogue import DOCUMENTS, PlatformState
from etter_dagster_tests.standin.platform_api import create_platform
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.standin.state import Fault


def daemons(
    *healthy: bool, sensor: str = "RUNNING", code: str = "RepositoryLocation"
) -> httpx.Response:
    rows = [{"required": True, "healthy": one} for one in healthy]
    rows.append({"required": False, "healthy": False})
    data = {
        "instance": {"daemonHealth": {"allDaemonStatuses": rows}},
        "workspaceLocationEntryOrError": {"locationOrLoadError": {"__typename": code}},
        "sensorOrError": {"sensorState": {"status": sensor}},
    }
    return httpx.Response(200, json={"data": data})


def of_another_location() -> httpx.Response:
    """Whoever gives Etter's definitions another name is told nothing wrong."""
    data = daemons(True).json()["data"]
    data |= {"workspaceLocationEntryOrError": None, "sensorOrError": {}}
    return httpx.Response(200, json={"data": data})


def health_of(rest_services: Any, answer: httpx.Response) -> Health:
    return Health(rest_services, httpx.MockTransport(lambda _: answer))


async def test_health_has_every_component_and_names_no_address(rest: Rest) -> None:
    """Embedded stores, Dagster not started: degraded, and 200 since pushes are taken."""
    answer = await rest.http.get("/health")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "degraded"
    assert body["timestamp"].endswith("Z")
    assert body["version"]
    assert body["components"] == {
        "api": "healthy",
        "queue": "healthy",
        "redis": "embedded",
        "graph": "healthy",
        "dagster": "off",
        "assessor": "healthy",
        "mock_data": "disabled",
    }
    services = await rest.services()
    assert str(services.settings.data_dir) not in answer.text
    assert "127.0.0.1" not in answer.text


async def test_mock_data_is_named(settings: Settings) -> None:
    """Whoever sees the sample companies finds out here why."""
    async with rest_of(settings.with_changes(enable_mock_data=True)) as rest:
        health = (await rest.http.get("/health")).json()
        assert health["components"]["mock_data"] == "enabled"


@pytest.mark.parametrize("store", ["queue", "graph"])
async def test_a_store_that_cannot_be_reached_is_a_503(
    rest: Rest, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    """No push can be taken, so a load balancer must look elsewhere."""

    async def fail() -> None:
        raise StoreUnavailable(store)

    monkeypatch.setattr(getattr(await rest.services(), store), "ping", fail)
    answer = await rest.http.get("/health")
    assert answer.status_code == 503
    assert answer.json()["status"] == "unhealthy"
    assert answer.json()["components"][store] == "unhealthy"


async def test_a_folder_that_cannot_be_used_is_a_503_with_the_whole_body(tmp_path: Path) -> None:
    """Also when nothing could be opened from the start."""
    (tmp_path / "file").write_text("in the way")
    settings = Settings(data_dir=tmp_path / "file", enable_mock_data=True, dagster_port=9)
    async with rest_of(settings) as rest:
        answer = await rest.http.get("/health")
        assert answer.status_code == 503
        assert answer.json()["components"]["queue"] == "unhealthy"
        answer = await rest.http.get("/companies")
        assert answer.status_code == 503
        assert answer.json()["detail"]["error"] == "STORE_UNAVAILABLE"
        assert answer.json()["detail"]["recoverable"] is True
        assert int(answer.headers["Retry-After"]) > 0
        assert str(tmp_path) not in answer.text


@pytest.mark.parametrize(
    ("answer", "component", "status"),
    [
        (daemons(True, True), "healthy", "healthy"),
        (daemons(True, False), "no heartbeat", "degraded"),
        (of_another_location(), "healthy", "healthy"),
        (
            daemons(True, code="PythonError"),
            "Etter's definitions cannot be loaded: Dagster's log says why",
            "degraded",
        ),
        (
            daemons(True, sensor="STOPPED"),
            "push_queue_sensor is switched off, so pushes wait: switch it on in Dagster",
            "degraded",
        ),
        (httpx.Response(200, json={"errors": []}), "not reachable", "degraded"),
        (httpx.Response(200, json=[]), "not reachable", "degraded"),
        (httpx.Response(502, text="<html>"), "not reachable", "degraded"),
    ],
)
async def test_dagster_is_healthy_while_it_starts_pushes(
    rest: Rest, answer: httpx.Response, component: str, status: str
) -> None:
    """A webserver without daemon, definitions or sensor takes pushes that nobody starts."""
    services = await rest.services()
    services.settings.dagster_home.mkdir()
    health = health_of(services, answer)
    view = await health.look()
    assert (view.components["dagster"], view.status) == (component, status)
    await health.close()


async def test_a_slow_dagster_does_not_hold_a_probe_up(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kubernetes gives a probe one second; the late answer counts for the next one."""
    released = asyncio.Event()
    asked = 0

    async def slow(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        await released.wait()
        return daemons(True)

    monkeypatch.setattr("etter_dagster.api.lately.PATIENCE_SECONDS", 0.01)
    services = await rest.services()
    health = Health(services, httpx.MockTransport(slow))
    assert (await health.look()).components["dagster"] == "not reachable"
    assert (await health.look()).components["dagster"] == "not reachable"
    released.set()
    while health.dagster.asking:
        await asyncio.sleep(0)
    assert (await health.look()).components["dagster"] == "healthy"
    assert asked == 1
    assert KEEP_SECONDS <= 30
    await health.close()


def test_the_question_to_dagster_fits_its_schema() -> None:
    """The pinned Dagster's own GraphQL schema knows every field that is asked for."""
    from dagster_graphql.schema import create_schema
    from graphql import parse, validate

    assert validate(create_schema().graphql_schema, parse(QUESTION)) == []


async def test_a_source_that_does_not_answer_is_degraded_and_named(
    settings: Settings, tmp_path: Path
) -> None:
    """Pushes of known roles go on, so that it is no 503; no address stands in the answer."""
    companies = tmp_path / "companies.json"
    companies.write_text('[{"name": "Acme", "taxonomy_company_id": 7}]')
    platform = PlatformState()
    with serving(create_platform(platform)) as url:
        configured = settings.with_changes(
            taxonomy_api_base_url=url, documents_api_base_url=url, companies_file=companies
        )
        async with rest_of(configured) as rest:
            services = await rest.services()
            health = health_of(services, daemons(True))
            body = await settled(health)
            assert (body.components["sources"], body.status) == ("healthy", "healthy")
            await health.close()
            platform.fail(DOCUMENTS, Fault(status=401), times=None)
            health = health_of(services, daemons(True))
            body = await settled(health)
            assert body.components["sources"] == "not readable: documents_api"
            assert body.status == "degraded"
            await health.close()


async def settled(health: Health) -> HealthView:
    """What it says when nothing is being asked any more."""
    await health.look()
    while health.asking:
        await asyncio.sleep(0.01)
    return await health.look()


async def test_held_claims_are_named_with_the_remedy_while_they_last(rest: Rest) -> None:
    """Pushes are taken, so it is no 503; whoever asks why nothing moves finds it here."""
    services = await rest.services()
    await services.queue.hold_claims(600)
    answer = await rest.http.get("/health")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "degraded"
    assert body["components"]["claims"].startswith("held: claims are held by `etter drain`")
    assert "etter drain --end" in body["components"]["claims"]
    await services.queue.hold_claims(0)
    assert "claims" not in (await rest.http.get("/health")).json()["components"]
