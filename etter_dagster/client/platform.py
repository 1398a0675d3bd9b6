"""`PlatformClient` and `AsyncPlatformClient`: what the platform does with Dagster, by the gate.

They are REST clients too: a role is registered there, and a push is followed there. What a call
sends and how its answer is read is in `graphql_calls.py`, once for both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from etter_dagster.client import graphql_calls as calls
from etter_dagster.client.calls import Call
from etter_dagster.client.platform_views import BackfillView, RunStatus, RunView
from etter_dagster.client.rest import (
    DEFAULT_URL,
    AsyncEtterClient,
    EtterClient,
    async_method,
    sync_method,
)
from etter_dagster.model.errors import EtterError, NotFound

POLL_SECONDS = 2.0
_RUNS_AT_ONCE = 500
_TRIES = 5  # of a look that fails in a way that passes
Answer = TypeVar("Answer")


class _Patience:
    """How many looks have failed one after the other."""

    def __init__(self) -> None:
        self._failures = 0

    def answered(self) -> None:
        self._failures = 0

    def failed(self, error: EtterError) -> None:
        """Raises it again, unless it may pass."""
        self._failures += 1
        if not error.recoverable or self._failures >= _TRIES:
            raise error


class _Changes(_Patience):
    """Which runs are still followed, and what of a look at them is new."""

    def __init__(self, run_ids: Sequence[str]) -> None:
        super().__init__()
        self.left = list(dict.fromkeys(run_ids))
        self._seen: dict[str, RunStatus] = {}

    def pages(self) -> list[list[str]]:
        starts = range(0, len(self.left), _RUNS_AT_ONCE)
        return [self.left[start : start + _RUNS_AT_ONCE] for start in starts]

    def take(self, asked: Sequence[str], found: Sequence[RunView]) -> Iterator[RunView]:
        self.answered()
        if unknown := sorted(set(asked) - {run.run_id for run in found}):
            raise NotFound(f"the run {unknown[0]}", "a key sees the runs that it launched")
        for run in found:
            if self._seen.get(run.run_id) is not run.status:
                self._seen[run.run_id] = run.status
                yield run
        ended = {run.run_id for run in found if run.status.ended}
        self.left = [run_id for run_id in self.left if run_id not in ended]


def _look(run_ids: Sequence[str]) -> Call[list[RunView]]:
    return calls.runs(run_ids=run_ids, limit=len(run_ids))


class PlatformClient(EtterClient):
    """Etter for a platform. Each method raises `EtterError` with the service's code.

    The arguments are those of `EtterClient`; `base_url` is the server's root.
    """

    def __init__(self, base_url: str = DEFAULT_URL, **options: Any) -> None:
        super().__init__(base_url, **options)
        self._gate = base_url.rstrip("/") + calls.PATH

    def send(self, call: Call[Answer]) -> Answer:
        """Sends a call of `calls` or `graphql_calls` and reads its answer."""
        return super().send(_to_gate(call, self._gate))

    register_role = EtterClient.put_role
    push_roles = sync_method(calls.push_roles)
    materialize_role = sync_method(calls.materialize_role)
    launch_backfill = sync_method(calls.launch_backfill)
    runs = sync_method(calls.runs)
    why_failed = sync_method(calls.why_failed)
    backfill = sync_method(calls.backfill)
    partitions = sync_method(calls.partitions)
    terminate_runs = sync_method(calls.terminate_runs)
    cancel_backfill = sync_method(calls.cancel_backfill)

    def watch_runs(
        self, run_ids: Sequence[str], *, poll_seconds: float = POLL_SECONDS
    ) -> Iterator[RunView]:
        """Each run at each change of its status, till all have ended.

        Args:
            run_ids: Runs that this key launched.
            poll_seconds: Between looks.

        Raises:
            NotFound: One of them is unknown; it would never end.
        """
        changes = _Changes(run_ids)
        while changes.left:
            for asked in changes.pages():
                try:
                    found = self.send(_look(asked))
                except EtterError as error:
                    changes.failed(error)
                else:
                    yield from changes.take(asked, found)
            if changes.left:
                self._sleep(poll_seconds)

    def wait_runs(
        self, run_ids: Sequence[str], *, poll_seconds: float = POLL_SECONDS
    ) -> dict[str, RunView]:
        """Follows runs till all have ended, and gives them by id.

        Args:
            run_ids: Runs that this key launched.
            poll_seconds: Between looks.
        """
        return {run.run_id: run for run in self.watch_runs(run_ids, poll_seconds=poll_seconds)}

    def wait_backfill(
        self, backfill_id: str, *, poll_seconds: float = POLL_SECONDS
    ) -> BackfillView:
        """Follows a backfill till it has ended.

        Args:
            backfill_id: A backfill that this key launched.
            poll_seconds: Between looks.
        """
        patience = _Patience()
        while True:
            try:
                found = self.backfill(backfill_id)
            except EtterError as error:
                patience.failed(error)
            else:
                patience.answered()
                if found.status.ended:
                    return found
            self._sleep(poll_seconds)


class AsyncPlatformClient(AsyncEtterClient):
    """The same for asyncio."""

    def __init__(self, base_url: str = DEFAULT_URL, **options: Any) -> None:
        super().__init__(base_url, **options)
        self._gate = base_url.rstrip("/") + calls.PATH

    async def send(self, call: Call[Answer]) -> Answer:
        """Sends a call of `calls` or `graphql_calls` and reads its answer."""
        return await super().send(_to_gate(call, self._gate))

    register_role = AsyncEtterClient.put_role
    push_roles = async_method(calls.push_roles)
    materialize_role = async_method(calls.materialize_role)
    launch_backfill = async_method(calls.launch_backfill)
    runs = async_method(calls.runs)
    why_failed = async_method(calls.why_failed)
    backfill = async_method(calls.backfill)
    partitions = async_method(calls.partitions)
    terminate_runs = async_method(calls.terminate_runs)
    cancel_backfill = async_method(calls.cancel_backfill)

    async def watch_runs(
        self, run_ids: Sequence[str], *, poll_seconds: float = POLL_SECONDS
    ) -> AsyncIterator[RunView]:
        """Each run at each change of its status, till all have ended.

        Args:
            run_ids: Runs that this key launched.
            poll_seconds: Between looks.

        Raises:
            NotFound: One of them is unknown; it would never end.
        """
        changes = _Changes(run_ids)
        while changes.left:
            for asked in changes.pages():
                try:
                    found = await self.send(_look(asked))
                except EtterError as error:
                    changes.failed(error)
                else:
                    for run in changes.take(asked, found):
                        yield run
            if changes.left:
                await self._sleep(poll_seconds)

    async def wait_runs(
        self, run_ids: Sequence[str], *, poll_seconds: float = POLL_SECONDS
    ) -> dict[str, RunView]:
        """Follows runs till all have ended, and gives them by id.

        Args:
            run_ids: Runs that this key launched.
            poll_seconds: Between looks.
        """
        watched = self.watch_runs(run_ids, poll_seconds=poll_seconds)
        return {run.run_id: run async for run in watched}

    async def wait_backfill(
        self, backfill_id: str, *, poll_seconds: float = POLL_SECONDS
    ) -> BackfillView:
        """Follows a backfill till it has ended.

        Args:
            backfill_id: A backfill that this key launched.
            poll_seconds: Between looks.
        """
        patience = _Patience()
        while True:
            try:
                found = await self.backfill(backfill_id)
            except EtterError as error:
                patience.failed(error)
            else:
                patience.answered()
                if found.status.ended:
                    return found
            await self._sleep(poll_seconds)


def _to_gate(call: Call[Answer], gate: str) -> Call[Answer]:
    """The gate stands at the server's root, REST under its prefix."""
    return replace(call, path=gate) if call.path == calls.PATH else call
