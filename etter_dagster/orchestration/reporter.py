"""Tells Dagster what happens to roles, while the event loop goes on."""

from __future__ import annotations

import asyncio
import functools
import itertools
import math
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import dagster as dg

from etter_dagster.onboarding.reporting import Materialization
from etter_dagster.orchestration.metadata import Input, materialization
from etter_dagster.orchestration.storage_away import storage_away_said

T = TypeVar("T")
_TOGETHER = 50  # events; others wait for the files meanwhile, some 3 ms an event


@dataclass
class _Write:
    """An event to write, and who waits for it."""

    act: Callable[[], Any]
    done: Future[Any]
    result: Any = None
    error: BaseException | None = None

    def run(self) -> None:
        """Writes it; what is raised is for who waits, and stops no other."""
        try:
            self.result = self.act()
        except BaseException as error:
            self.error = error

    def tell(self) -> None:
        """Tells who waits."""
        if self.error is not None:
            self.done.set_exception(self.error)
        else:
            self.done.set_result(self.result)


class DagsterReporter:
    """A `Reporter` that writes Dagster events, in order, from one thread.

    An event takes milliseconds; written from the loop it would hold up all other roles. Where the
    storage is away, all raise `StoreUnavailable`. `failed_roles` are those of which it has
    planned what could not be made.

    Args:
        log_event: Writes a materialization.
        newest_event: The id of the newest event written, by whomever.
        plan: Says that an asset of a role was to be made; None where the run has planned it.
        plan_for: Says the same of another run.
        ensure_partitions: Adds partitions that are missing.
        parents: The parents of each asset.
        together: What is written in a block of it is stored together.
    """

    def __init__(
        self,
        *,
        log_event: Callable[[dg.AssetMaterialization], None],
        newest_event: Callable[[], int | None],
        plan: Callable[[str, str], None] | None,
        plan_for: Callable[[str | None, Sequence[str], str], None],
        ensure_partitions: Callable[[Sequence[str]], None],
        parents: Mapping[str, Sequence[str]],
        together: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._log_event = log_event
        self._newest_event = newest_event
        self._plan = plan
        self._plan_for = plan_for
        self._ensure_partitions = ensure_partitions
        self._parents = parents
        self._inputs = {parent for of_one in parents.values() for parent in of_one}
        self._made: defaultdict[str, dict[str, Input]] = defaultdict(dict)
        self._places: dict[str, int] = {}
        self.failed_roles: set[str] = set()
        self._writer = EventWriter(together)

    async def claimed(self, role_ids: Sequence[str]) -> None:
        """The roles' partitions exist afterwards."""
        self.failed_roles.difference_update(role_ids)
        for role_id in role_ids:
            self._places[role_id] = len(self._places) + 1
        with storage_away_said():
            await self._writer.write(0, self._ensure_partitions, role_ids)

    async def materialized(self, event: Materialization) -> None:
        """Returns when the event is stored."""
        made = self._made[event.role_id]
        parents = self._parents.get(event.asset, ())
        inputs = {parent: made[parent] for parent in parents if parent in made}
        pointer = await self._write(event.role_id, self._log, materialization(event, inputs))
        made[event.asset] = Input(event.data_version, pointer)

    async def failed(self, role_id: str, assets: Sequence[str]) -> None:
        """The partitions show as failed once the run has failed."""
        self._made.pop(role_id, None)
        if self._plan is not None:
            self.failed_roles.add(role_id)
            for asset in assets:
                await self._write(role_id, self._plan, asset, role_id)

    async def given_up(self, role_id: str, run_id: str | None, assets: Sequence[str]) -> None:
        """The partitions show as failed, as the run that was lost has failed."""
        await self._write(role_id, self._plan_for, run_id, assets, role_id)

    def close(self) -> None:
        """Returns when everything is written."""
        self._writer.close()

    def _log(self, event: dg.AssetMaterialization) -> int | None:
        self._log_event(event)
        made = event.asset_key.to_user_string()
        return self._newest_event() if made in self._inputs else None

    async def _write(self, role_id: str, act: Callable[..., T], *given: object) -> T:
        with storage_away_said():
            return await self._writer.write(self._places.get(role_id, 0), act, *given)


class EventWriter:
    """One thread that writes in order of place, and in order of arrival within a place.

    Events are what hundreds of roles in work wait for most. The first claimed goes first, so that
    roles get ready one after the other instead of all at the end; what waits is written together.

    Args:
        together: What is written in a block of it is stored together, at its end.
    """

    def __init__(self, together: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self._together = together
        self._waiting: queue.PriorityQueue[tuple[float, int, _Write | None]] = queue.PriorityQueue()
        self._arrivals = itertools.count()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="dagster-events", daemon=True)
        self._thread.start()

    async def write(self, place: float, act: Callable[..., T], *given: object) -> T:
        """What `act` gives when it has run; raises what it raises."""
        if self._closed:
            raise RuntimeError("the writer is closed: nobody would ever answer")
        done: Future[T] = Future()
        self._waiting.put(
            (place, next(self._arrivals), _Write(functools.partial(act, *given), done))
        )
        # What was handed over is written even if who asked is cancelled meanwhile.
        return await asyncio.shield(asyncio.wrap_future(done))

    def close(self) -> None:
        """Returns when everything is written."""
        self._closed = True
        self._waiting.put((math.inf, next(self._arrivals), None))
        self._thread.join()

    def _run(self) -> None:
        while writes := self._next():
            try:
                with self._together():
                    for write in writes:
                        write.run()
            except BaseException as error:  # nothing of it is stored
                for write in writes:
                    write.error = error
            for write in writes:
                write.tell()

    def _next(self) -> list[_Write]:
        """What waits, the first ones first; nothing at the end."""
        found: list[_Write] = []
        while len(found) < _TOGETHER and (not found or not self._waiting.empty()):
            entry = self._waiting.get()
            if entry[2] is None:
                if found:  # the end is for the next look
                    self._waiting.put(entry)
                break
            found.append(entry[2])
        return found
