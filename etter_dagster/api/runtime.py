"""What one process keeps for its requests: services, opened at first use per event loop, the watch
hub of the event streams, health and metrics. Nothing is opened at import.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request

from etter_dagster.api.counting import Counts
from etter_dagster.api.dagster_upstream import DagsterUpstream
from etter_dagster.api.events import WatchHub
from etter_dagster.api.health import Health
from etter_dagster.api.key_watch import KeyWatch
from etter_dagster.api.keyring import Keyring
from etter_dagster.api.metrics import Metrics
from etter_dagster.api.stopping import on_stop
from etter_dagster.logs import configure as configure_logs
from etter_dagster.model.errors import EtterError
from etter_dagster.onboarding.notifying import tell_always
from etter_dagster.onboarding.services import Services, open_services, prepare
from etter_dagster.settings import Settings, get_settings
from etter_dagster.stores import open_access
from etter_dagster.stores.migrations import require_schema
from etter_dagster.stores.starting import require_startable
from etter_dagster.tasks import end

OpenWith = Callable[[Settings], Services]
PATIENCE_SECONDS = 5.0
PREPARE_AGAIN_SECONDS = 30.0
log = logging.getLogger(__name__)


class Opened:
    """Services and what hangs on them, for one event loop."""

    def __init__(self, services: Services, keyring: Keyring | None = None) -> None:
        self.services = services
        self.access = open_access(services.settings)
        self.counts = Counts(self.access)
        self.hub = WatchHub(services)
        self.health = Health(services, keyring=keyring)
        self.dagster = DagsterUpstream(services.settings.dagster_url)
        self.tasks: set[asyncio.Task[None]] = set()
        self._keys = KeyWatch(keyring, services, self.access) if keyring is not None else None
        self.prepared = False
        self._preparing: asyncio.Task[None] | None = None
        self._prepare_at = float("-inf")
        self._patient = True
        self._forget_stop = on_stop(self.hub.end)
        if services.notices is not None:
            self.spawn(tell_always(services))

    def look_at_keys(self) -> None:
        """Sees that the audit log knows of changed keys."""
        if self._keys is not None:
            self._keys.look(self.spawn)

    async def prepare(self) -> None:
        """Puts the taxonomy's roles into the graph, once; a source that fails is asked again.

        The first requests wait for it a little; a source that hangs holds up nobody longer.
        """
        if self._preparing is None and time.monotonic() >= self._prepare_at:
            self._preparing = self.spawn(self._prepare())
        if self._preparing is not None and self._patient:
            await asyncio.wait([self._preparing], timeout=PATIENCE_SECONDS)
            self._patient = False

    async def _prepare(self) -> None:
        try:
            await prepare(self.services)
            self.prepared = True
        except EtterError as error:
            log.warning("the taxonomy's roles are not listed yet: %s", error.message)
        finally:
            self._preparing = None
            self._prepare_at = time.monotonic() + PREPARE_AGAIN_SECONDS

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs work in the background till it ends or the process does."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work failed; ask for it again", exc_info=error)

    async def close(self) -> None:
        """Ends background work and closes the stores."""
        self._forget_stop()
        await end(*self.tasks)
        await self.hub.close()
        await self.health.close()
        await self.dagster.close()
        await self.access.close()
        await self.services.close()


class Runtime:
    """Opens services when they are first needed.

    Args:
        settings: The environment's, if None; they are read at first use.
        open_with: Opens services from settings.
    """

    def __init__(
        self, settings: Settings | None = None, open_with: OpenWith = open_services
    ) -> None:
        self._settings = settings
        self._open_with = open_with
        self._opened: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Opened] = (
            weakref.WeakKeyDictionary()
        )
        self.metrics = Metrics()

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        if self._settings is None:
            self._settings = get_settings()
        return self._settings

    @functools.cached_property
    def keyring(self) -> Keyring | None:
        """The API keys; None where the settings name no file of them."""
        path = self.settings.api_keys_file
        return Keyring(path) if path is not None else None

    async def opened(self) -> Opened:
        """What this event loop works with, opened and prepared."""
        loop = asyncio.get_running_loop()
        if loop not in self._opened:
            self._opened[loop] = Opened(self._open_with(self.settings), self.keyring)
        opened = self._opened[loop]
        opened.look_at_keys()
        if not opened.prepared:
            await opened.prepare()
        return opened

    async def close(self) -> None:
        """Closes what this event loop opened; a later request would open it anew."""
        opened = self._opened.pop(asyncio.get_running_loop(), None)
        if opened is not None:
            await opened.close()


_default = Runtime()


def use_settings(
    app: Starlette, settings: Settings | None, open_with: OpenWith = open_services
) -> Runtime:
    """Gives an app a runtime of its own; without it, an app shares the process's.

    Args:
        app: Ours, or the one that our router is mounted in.
        settings: The environment's, if None.
        open_with: Opens services from settings.
    """
    runtime = Runtime(settings, open_with)
    app.state.etter = runtime
    return runtime


def runtime_of(connection: HTTPConnection) -> Runtime:
    """The runtime that answers a request or a WebSocket (a dependency)."""
    return _runtime(connection.app)


def _runtime(app: Starlette) -> Runtime:
    runtime = getattr(app.state, "etter", None)
    return runtime if isinstance(runtime, Runtime) else _default


async def opened_of(request: Request) -> Opened:
    """What a request works with (a dependency)."""
    return await runtime_of(request).opened()


async def services_of(request: Request) -> Services:
    """The services that a request works with (a dependency)."""
    return (await opened_of(request)).services


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Refuses to start with unsafe settings or stores of another version; opens early, closes at
    the end.

    A store that cannot be reached yet does not stop the start: requests are answered with
    `STORE_UNAVAILABLE` until it can.
    """
    runtime = _runtime(app)
    await require_startable(runtime.settings)
    if getattr(app.state, "etter_logs", False):  # in another's app, logs are the other's matter
        configure_logs(runtime.settings)
    await require_schema(runtime.settings)
    await runtime.opened()
    try:
        yield
    finally:
        await runtime.close()
