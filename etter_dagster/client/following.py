"""Following runs and backfills by looks: which to take, what is new in each, when to give up.

Sends nothing and waits for nothing, so that it stands once for the client and for that of asyncio.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from etter_dagster.client import graphql_calls as calls
from etter_dagster.client.calls import Call
from etter_dagster.client.platform_views import BackfillView, RunStatus, RunView
from etter_dagster.model.errors import EtterError, NotFound

_RUNS_AT_ONCE = 500
_TRIES = 5  # of a look that fails in a way that passes
View = TypeVar("View")
Look = tuple[Call[Any], Callable[[Any], Iterator[View]]]


class Following(Generic[View]):
    """What is still followed, and how many looks have failed one after the other."""

    def __init__(self) -> None:
        self._failures = 0

    @property
    def over(self) -> bool:
        """Whether there is nothing to look at any longer."""
        raise NotImplementedError

    def looks(self) -> Iterator[Look[View]]:
        """The calls of one round; each with what reads its answer and gives what is new."""
        raise NotImplementedError

    def answered(self) -> None:
        """A look came back."""
        self._failures = 0

    def failed(self, error: EtterError) -> None:
        """A look failed: raises the error again, unless it may pass."""
        self._failures += 1
        if not error.recoverable or self._failures >= _TRIES:
            raise error


class RunsFollowing(Following[RunView]):
    """Runs, each new at each change of its status.

    Args:
        run_ids: Which.
    """

    def __init__(self, run_ids: Sequence[str]) -> None:
        super().__init__()
        self._left = list(dict.fromkeys(run_ids))
        self._seen: dict[str, RunStatus] = {}

    @property
    def over(self) -> bool:
        """Whether all have ended."""
        return not self._left

    def looks(self) -> Iterator[Look[RunView]]:
        """At some hundreds of them at a time."""
        for start in range(0, len(left := self._left), _RUNS_AT_ONCE):
            asked = left[start : start + _RUNS_AT_ONCE]
            yield calls.runs(run_ids=asked, limit=len(asked)), partial(self._take, asked)

    def _take(self, asked: Sequence[str], found: Sequence[RunView]) -> Iterator[RunView]:
        self.answered()
        if unknown := sorted(set(asked) - {run.run_id for run in found}):
            raise NotFound(f"the run {unknown[0]}", "a key sees the runs that it launched")
        for run in found:
            if self._seen.get(run.run_id) is not run.status:
                self._seen[run.run_id] = run.status
                yield run
        ended = {run.run_id for run in found if run.status.ended}
        self._left = [run_id for run_id in self._left if run_id not in ended]


class BackfillFollowing(Following[BackfillView]):
    """A backfill, which is new when it has ended.

    Args:
        backfill_id: Which.
    """

    def __init__(self, backfill_id: str) -> None:
        super().__init__()
        self._id = backfill_id
        self._over = False

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._over

    def looks(self) -> Iterator[Look[BackfillView]]:
        """One."""
        yield calls.backfill(self._id), self._take

    def _take(self, found: BackfillView) -> Iterator[BackfillView]:
        self.answered()
        if found.status.ended:
            self._over = True
            yield found
