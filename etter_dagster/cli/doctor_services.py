"""The doctor's look at what must answer: the service, the stores, the assessor, the sources."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from etter_dagster.cli.doctor_checks import Check, State
from etter_dagster.cli.doctor_storage import check_storage
from etter_dagster.cli.doctor_workers import check_workers
from etter_dagster.cli.service import connect
from etter_dagster.model.errors import EtterError, SchemaMismatch
from etter_dagster.onboarding.asking import ask
from etter_dagster.onboarding.services import Services, open_services
from etter_dagster.settings import Settings
from etter_dagster.sources.companies import CompaniesFile
from etter_dagster.sources.probing import SourceProbe, source_probes
from etter_dagster.stores import PushQueue, RoleGraph, open_graph, open_queue

_SECONDS = 5.0
_SOURCE_SECONDS = 30.0
# Parts of `GET /health` and what helps.
_REMEDIES: Mapping[str, str] = {
    "queue": "look at the service's log; check ETTER_REDIS_HOST and the disk of ETTER_DATA_DIR",
    "redis": "check ETTER_REDIS_HOST, ETTER_REDIS_PORT and ETTER_REDIS_PASSWORD",
    "graph": "look at the service's log; check ETTER_NEO4J_URI and the disk of ETTER_DATA_DIR",
    "dagster": "run `etter up`, or start dagster-webserver and dagster-daemon; pushes wait until "
    "then",
    "sources": "run `etter doctor` where the service runs; what the catalogue knows can be pushed",
    "assessor": "check what ETTER_ASSESSOR names; pushes wait until it answers",
    "claims": "pushes wait until then",
}
_STATES: Mapping[str, State] = {
    "healthy": "ok",
    "embedded": "ok",
    "enabled": "ok",
    "disabled": "off",
    "off": "warning",
}  # all else is something that does not answer as it should


def check_services(
    settings: Settings,
    url: str | None,
    key_file: Path | None,
    *,
    transport: httpx.BaseTransport | None = None,
) -> list[Check]:
    """What answers.

    Args:
        settings: Say what is configured.
        url: Where the service is, if given.
        key_file: Where the key is, if given.
        transport: Instead of the network, for outside services.
    """
    return [
        *_service(url, key_file),
        _store("graph", settings.embedded_graph, settings),
        _store("queue", settings.embedded_queue, settings),
        *check_storage(settings),
        *_held(settings),
        *check_workers(settings),
        *_outside(settings, transport),
    ]


def _service(url: str | None, key_file: Path | None) -> Iterator[Check]:
    try:
        with connect(url, key_file) as service:
            health = service.health()
    except EtterError as error:
        yield Check("service", "unreachable", error.message, "start it with `etter up`")
        return
    where = f"{service.url}, version {health.version}, {health.status}"
    yield Check("service", "ok" if health.status != "unhealthy" else "unreachable", where)
    for name, found in sorted(health.components.items()):
        state = "warning" if name == "claims" else _STATES.get(found, "unreachable")
        fine = state in ("ok", "off")
        remedy = "" if fine else _REMEDIES.get(name, "look at the service's log")
        yield Check(f"service: {name}", state, found, remedy)


def _store(name: str, embedded: bool, settings: Settings) -> Check:
    if embedded:
        return Check(name, "ok", f"embedded, in {settings.data_dir}")
    variables = "ETTER_NEO4J_*" if name == "graph" else "ETTER_REDIS_*"
    try:
        asyncio.run(_ping(open_graph(settings) if name == "graph" else open_queue(settings)))
    except Exception as error:  # whatever a driver raises, it does not answer
        found = error.message if isinstance(error, EtterError) else type(error).__name__
        if isinstance(error, SchemaMismatch):  # it answers, and says what helps
            return Check(name, "unreachable", found, "run `etter migrate`, or the newer Etter")
        return Check(name, "unreachable", found, f"check {variables}, and that it is running")
    return Check(name, "ok", "answers")


def _held(settings: Settings) -> Iterator[Check]:
    """Whether `etter drain` holds work back."""
    if settings.embedded_queue and not (settings.data_dir / "queue.db").exists():
        return
    try:
        seconds = asyncio.run(_held_seconds(open_queue(settings)))
    except Exception:  # the look at the queue has said so
        return
    if seconds > 0:
        found = f"held by `etter drain` for {seconds:.0f} s more"
        yield Check("claims", "warning", found, "pushes wait; work goes on with: etter drain --end")


async def _held_seconds(queue: PushQueue) -> float:
    try:
        return await asyncio.wait_for(queue.claims_held(), _SECONDS)
    finally:
        await queue.close()


async def _ping(store: RoleGraph | PushQueue) -> None:
    try:
        await asyncio.wait_for(store.ping(), _SECONDS)
    finally:
        await store.close()


def _outside(settings: Settings, transport: httpx.BaseTransport | None) -> Iterator[Check]:
    yield from _assessor(settings)
    addresses = {
        "WORKFLOW_API_BASE_URL": (settings.workflow_api_base_url, "/health"),
        "LLM_BASE_URL": (settings.llm_base_url, "/models"),
    }
    with httpx.Client(timeout=_SECONDS, transport=transport) as http:
        for name, (base, path) in addresses.items():
            if base:
                yield _answers(http, f"ETTER_{name}", base + path)
    for probe in source_probes(settings):
        yield asyncio.run(_source(probe))
    yield from _shared_token(settings)


async def _source(probe: SourceProbe) -> Check:
    """Whether a source gives something to read, with the token of each company."""
    try:
        await ask(probe.source.probe, within=_SOURCE_SECONDS, what=probe.name)
    except EtterError as error:
        remedy = f"check {probe.setting}, its tokens, the network, and that it is running"
        return Check(probe.setting, "unreachable", error.message, remedy)
    return Check(probe.setting, "ok", "answers")


def _shared_token(settings: Settings) -> Iterator[Check]:
    if settings.documents_api_base_url is None:
        return
    try:
        companies = CompaniesFile(settings.companies_file).companies().values()
    except EtterError:
        return  # the sources have said so
    sharing = [company.name for company in companies if company.documents_token is None]
    if len(sharing) > 1:
        yield Check(
            "ETTER_DOCUMENTS_API_TOKEN",
            "warning",
            f"{len(sharing)} companies share it, and a token sees one company's documents",
            "give each its documents_token in ETTER_COMPANIES_FILE",
        )


def _answers(http: httpx.Client, name: str, url: str) -> Check:
    """Whether anything answers; no token is sent, so a refusal is as good as an answer."""
    try:
        status = http.get(url).status_code
    except httpx.HTTPError as error:
        remedy = f"check {name}, the network, and that it is running"
        return Check(name, "unreachable", type(error).__name__, remedy)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return Check(name, "unreachable", f"answers with {status}", "look at its own log")
    return Check(name, "ok", "answers")


def _assessor(settings: Settings) -> Iterator[Check]:
    try:
        services = open_services(settings)
    except ValueError as error:
        yield Check("assessor", "problem", settings.assessor, str(error))
        return
    info = services.assessors.configured.info
    yield Check("assessor", "ok", f"{info.name} {info.model} {info.version}")
    if services.assessors.guard is not None:
        yield asyncio.run(_room(services))


async def _room(services: Services) -> Check:
    """Whether the guard over paid calls lets them through."""
    guard = services.assessors.guard
    assert guard is not None
    try:
        room, left = await guard.room(), await guard.budget_left()
    except EtterError as error:
        return Check("paid calls", "unreachable", error.message, "check the queue's store")
    finally:
        await services.close()
    if room.closed is not None:
        return Check("paid calls", "warning", room.closed.message, "pushes wait until then")
    return Check("paid calls", "ok", "" if left is None else f"{left:g} may be spent today")
