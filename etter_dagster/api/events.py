"""Server-sent events of a push's status.

All streams of a process share one watcher: it waits for the queue to change, reads the watched
pushes that changed, and hands each stream its newest view. Ids are `version * 10**6 + n`: of the
push's own version, so that they rise across reconnects and processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable

from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.types import Receive, Scope, Send

from etter_dagster.model.errors import EtterError
from etter_dagster.onboarding.services import Services
from etter_dagster.onboarding.status import StatusView, find_pushes, status_of, statuses_of

COMMENT_SECONDS = 10.0  # the contract says at least every 15
ESTIMATE_SECONDS = 2.0
_IDS_PER_VERSION = 10**6
_REST = 2  # a read is followed by a pause of so many times its own length
_LEAST_PAUSE = 0.02
_AFTER_FAILURE_SECONDS = 1.0
log = logging.getLogger(__name__)


class Watch:
    """One open stream: the newest view of its push, and the version that it is of."""

    def __init__(self, workflow_id: str) -> None:
        self.workflow_id = workflow_id
        self.view: StatusView | None = None
        self.version = -1
        self.changed = asyncio.Event()
        self.cut = False

    def show(self, view: StatusView, version: int) -> None:
        """Hands the stream a newer view."""
        if version >= self.version and view != self.view:
            self.view, self.version = view, version
            self.changed.set()

    def end(self) -> None:
        """Ends the stream though its push goes on; the client comes again."""
        self.cut = True
        self.changed.set()


class WatchHub:
    """Reads for all streams of a process at once.

    Args:
        services: Whose queue is watched.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._watches: dict[str, set[Watch]] = {}
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    @contextlib.asynccontextmanager
    async def watch(self, workflow_id: str) -> AsyncIterator[Watch]:
        """A watch of one push, with its view as it is now.

        Args:
            workflow_id: The push.

        Raises:
            NotFound: Unknown id.
        """
        watch = Watch(workflow_id)
        self._watches.setdefault(workflow_id, set()).add(watch)
        try:
            pushes = await find_pushes(self._services, [workflow_id])
            view = await status_of(self._services, workflow_id)
            watch.show(view, pushes[workflow_id].version if workflow_id in pushes else 0)
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run())
            if self._ended:
                watch.end()
            yield watch
        finally:
            others = self._watches[workflow_id]
            others.discard(watch)
            if not others:
                del self._watches[workflow_id]

    def end(self) -> None:
        """Ends all streams; a server that is told to stop would wait for them."""
        self._ended = True
        for watches in self._watches.values():
            for watch in watches:
                watch.end()

    async def close(self) -> None:
        """Stops watching."""
        self.end()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        counter = 0
        estimates_due = time.monotonic() + ESTIMATE_SECONDS
        while self._watches:
            pause = _AFTER_FAILURE_SECONDS
            try:
                # At first at once: something may have changed since the first watch looked.
                wait = max(0.0, estimates_due - time.monotonic()) if counter else 0.0
                counter = await self._services.queue.wait_changed(counter, wait)
                started = time.monotonic()
                every = started >= estimates_due
                if every:
                    estimates_due = started + ESTIMATE_SECONDS
                await self._read(every=every)
                pause = max(_LEAST_PAUSE, _REST * (time.monotonic() - started))
            except EtterError as error:
                log.warning("status streams wait: %s", error.message)
            except Exception:
                log.exception("status streams wait")
            await asyncio.sleep(pause)

    async def _read(self, *, every: bool) -> None:
        """Shows what changed of the watched pushes; with `every`, places and estimates too."""
        watched = [
            workflow_id
            for workflow_id, watches in self._watches.items()
            if any(watch.view is None or not watch.view.status.terminal for watch in watches)
        ]
        if not watched:
            return
        pushes = await find_pushes(self._services, watched)
        wanted = [
            workflow_id
            for workflow_id, push in pushes.items()
            if every or any(w.version != push.version for w in self._watches.get(workflow_id, ()))
        ]
        views = await statuses_of(self._services, wanted) if wanted else {}
        for workflow_id, view in views.items():
            for watch in self._watches.get(workflow_id, ()):
                watch.show(view, pushes[workflow_id].version)


def last_id(header: str | None) -> int:
    """The number in a `Last-Event-ID`; one that is not ours counts as none."""
    return int(header) if header and header.isdecimal() and len(header) < 19 else -1


def is_over(watch: Watch, after: int) -> bool:
    """Whether a client that got the event `after` has had the last one."""
    view = watch.view
    ended = view is not None and view.status.terminal
    return ended and after >= watch.version * _IDS_PER_VERSION


class StatusEvents(EventSourceResponse):
    """The stream of one push; ends after the terminal event.

    Args:
        watch: What it shows.
        scope: Holds the watch open; closed when the stream ends, however it does.
        after: The last id that the client got, or -1.
        may_see: Whether its key still opens it; asked before each event and comment.
    """

    def __init__(
        self,
        watch: Watch,
        scope: contextlib.AsyncExitStack,
        after: int,
        may_see: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__(
            _events(watch, after, may_see),
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )
        self._scope = scope

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams."""
        async with self._scope:
            await super().__call__(scope, receive, send)


async def _events(watch: Watch, after: int, may_see: Callable[[], bool]) -> AsyncIterator[bytes]:
    newest = after
    while True:
        quiet = False
        try:
            await asyncio.wait_for(watch.changed.wait(), COMMENT_SECONDS)
        except asyncio.TimeoutError:
            quiet = True
        if not may_see():
            return
        if quiet:
            yield format_sse_event(comment="still here")
            continue
        watch.changed.clear()
        view = watch.view
        if watch.cut or view is None:
            return
        newest = max(newest + 1, watch.version * _IDS_PER_VERSION)
        yield format_sse_event(event="status", data_str=view.model_dump_json(), id=str(newest))
        if view.status.terminal:
            return
