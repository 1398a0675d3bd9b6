"""Whether this service can take pushes, and what is off beside it. Names no address, no secret."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from etter_dagster import __version__
from etter_dagster.api.dagster_health import QUESTION, lacking
from etter_dagster.api.keyring import Keyring
from etter_dagster.api.lately import Lately
from etter_dagster.onboarding.asking import ask
from etter_dagster.onboarding.holding import held_back
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.views import HealthView
from etter_dagster.sources.probing import source_probes

HEALTHY, UNHEALTHY, DEGRADED = "healthy", "unhealthy", "degraded"
EMBEDDED, OFF, NOT_REACHABLE = "embedded", "off", "not reachable"
OLD_KEYS = "keys file not readable"
PING_SECONDS = 3.0
SOURCE_SECONDS = 5.0
DAGSTER_SECONDS = 5.0


class Health:
    """Looks at each part, within bounds; what is elsewhere is asked every 10 seconds.

    Args:
        services: Stores and settings.
        transport: For the question to Dagster; the network, if None.
        keyring: The API keys, where there are some.
    """

    def __init__(
        self,
        services: Services,
        transport: httpx.AsyncBaseTransport | None = None,
        keyring: Keyring | None = None,
    ) -> None:
        self._services = services
        self._keyring = keyring
        self._http = httpx.AsyncClient(
            base_url=services.settings.dagster_url, timeout=DAGSTER_SECONDS, transport=transport
        )
        self.dagster = Lately(self._ask_dagster, NOT_REACHABLE)
        self._assessor = Lately(self._ask_assessor, HEALTHY)
        self._probes = source_probes(services.settings)
        self._sources = Lately(self._ask_sources, HEALTHY)

    async def look(self) -> HealthView:
        """The body of `GET /health`."""
        services = self._services
        queue, graph, dagster, assessor, sources, held = await asyncio.gather(
            _ping(services.queue.ping),
            _ping(services.graph.ping),
            self.dagster(),
            self._assessor(),
            self._sources(),
            held_back(services),
        )
        components = {
            "api": self._api(),
            "queue": queue,
            "redis": EMBEDDED if services.settings.embedded_queue else queue,
            "graph": graph,
            "dagster": dagster,
            "assessor": assessor,
            "mock_data": "enabled" if services.settings.enable_mock_data else "disabled",
        }
        if self._probes:
            components["sources"] = sources
        if held is not None:
            components["claims"] = f"held: {held}"
        return HealthView(
            status=_overall(components),
            version=__version__,
            timestamp=services.clock(),
            components=components,
        )

    def _api(self) -> str:
        if self._keyring is None:
            return HEALTHY
        _ = self._keyring.keys  # looks at the file
        return OLD_KEYS if self._keyring.problem is not None else HEALTHY

    @property
    def asking(self) -> bool:
        """Whether an answer from elsewhere is still waited for."""
        return self.dagster.asking or self._assessor.asking or self._sources.asking

    async def _ask_assessor(self) -> str:
        guard = self._services.assessors.guard
        if guard is None:
            return HEALTHY  # the built-in one is loaded, or this process would not be up
        return await _ping(guard.ping)

    async def _ask_sources(self) -> str:
        """Each with the token of one company; `etter doctor` tries them all."""
        answers = await asyncio.gather(
            *(ask(p.source.probe, 1, within=SOURCE_SECONDS, what=p.name) for p in self._probes),
            return_exceptions=True,
        )
        failed = zip(self._probes, answers, strict=True)
        names = [p.name for p, answer in failed if isinstance(answer, BaseException)]
        return f"not readable: {', '.join(names)}" if names else HEALTHY

    async def _ask_dagster(self) -> str:
        try:
            answer = await self._http.post("/graphql", json={"query": QUESTION})
            return lacking(answer.json()["data"]) or HEALTHY
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            home = self._services.settings.dagster_home
            return NOT_REACHABLE if await asyncio.to_thread(home.exists) else OFF

    async def close(self) -> None:
        """Closes the connection to Dagster."""
        self.dagster.close()
        self._assessor.close()
        self._sources.close()
        await self._http.aclose()


async def _ping(ping: Callable[[], Awaitable[None]]) -> str:
    try:
        await asyncio.wait_for(ping(), PING_SECONDS)
    except Exception:  # whatever it is, it cannot do its work
        return UNHEALTHY
    return HEALTHY


def _overall(components: dict[str, str]) -> str:
    if UNHEALTHY in (components["queue"], components["graph"]):
        return UNHEALTHY
    optional = ("api", "dagster", "assessor", "sources", "claims")
    fine = all(components.get(name, HEALTHY) == HEALTHY for name in optional)
    return HEALTHY if fine else DEGRADED
