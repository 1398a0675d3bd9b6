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
from etter_dagster.client.following import BackfillFollowing, Following, RunsFollowing
from etter_dagster.client.platform_views import BackfillView, RunView
from etter_dagster.client.rest import (
    DEFAULT_URL,
    AsyncEtterClient,
    EtterClient,
    async_method,
    sync_method,
)
from etter_dagster.model.errors import EtterError

POLL_SECONDS = 2.0
View = TypeVar("View")
Answer = TypeVar("Answer")


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
        return self._follow(RunsFollowing(run_ids), poll_seconds)

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
        (ended,) = self._follow(BackfillFollowing(backfill_id), poll_seconds)
        return ended

    def _follow(self, following: Following[View], poll_seconds: float) -> Iterator[View]:
        while not following.over:
            for call, take in following.looks():
                try:
                    answer = self.send(call)
                except EtterError as error:
                    following.failed(error)
                else:
                    yield from take(answer)
            if not following.over:
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

    def watch_runs(
        self, run_ids: Sequence[str], *, poll_seconds: float = POLL_SECONDS
    ) -> AsyncIterator[RunView]:
        """Each run at each change of its status, till all have ended.

        Args:
            run_ids: Runs that this key launched.
            poll_seconds: Between looks.

        Raises:
            NotFound: One of them is unknown; it would never end.
        """
        return self._follow(RunsFollowing(run_ids), poll_seconds)

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
        (ended,) = [
            view async for view in self._follow(BackfillFollowing(backfill_id), poll_seconds)
        ]
        return ended

    async def _follow(self, following: Following[View], poll_seconds: float) -> AsyncIterator[View]:
        while not following.over:
            for call, take in following.looks():
                try:
                    answer = await self.send(call)
                except EtterError as error:
                    following.failed(error)
                else:
                    for view in take(answer):
                        yield view
            if not following.over:
                await self._sleep(poll_seconds)


def _to_gate(call: Call[Answer], gate: str) -> Call[Answer]:
    """The gate stands at the server's root, REST under its prefix."""
    return replace(call, path=gate) if call.path == calls.PATH else call
