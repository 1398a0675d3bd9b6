"""Roles as partitions: added in bulk, each once, without asking again for what is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import IntegrityError

from etter_dagster.orchestration import partitions
from etter_dagster.orchestration.partitions import KnownPartitions, add_partitions


class Store:
    """Stands in for an instance and counts what it is asked."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self.keys = list(keys)
        self.added: list[list[str]] = []
        self.reads = 0

    def get_dynamic_partitions(self, name: str) -> list[str]:
        assert name == "roles"
        self.reads += 1
        return list(self.keys)

    def add_dynamic_partitions(self, name: str, keys: Sequence[str]) -> None:
        assert name == "roles"
        self.added.append(list(keys))


def test_partitions_are_added_once_each_and_in_order() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        add_partitions(instance, ["b", "a", "b"])
        add_partitions(instance, ["a", "c"])
        assert instance.get_dynamic_partitions("roles") == ["b", "a", "c"]


@contextmanager
def others_are_faster(*keys: str) -> Iterator[None]:
    """Each key is there, by somebody else, between Dagster's look and its own insertion."""
    theirs = list(keys)

    def insert(_: Any, cursor: Any, statement: str, *more: Any) -> None:
        if statement.startswith("INSERT INTO dynamic_partitions") and theirs:
            cursor.execute(statement, ("roles", theirs.pop()))

    event.listen(Engine, "before_cursor_execute", insert)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", insert)
    assert not theirs


def test_partitions_that_are_added_at_once_fail_nobody() -> None:
    """The sensor and a serving run add what is pushed at the same moment; the run must not fail."""
    with dg.DagsterInstance.ephemeral() as instance:
        with others_are_faster("a", "c"):
            add_partitions(instance, ["a", "b", "c"])
        assert sorted(instance.get_dynamic_partitions("roles")) == ["a", "b", "c"]


def test_a_race_that_is_never_won_is_an_error() -> None:
    """What it cannot be is silence: a run would go on with partitions that are not there."""

    class Never(Store):
        def add_dynamic_partitions(self, name: str, keys: Sequence[str]) -> None:
            raise IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed"))

    with pytest.raises(IntegrityError):
        add_partitions(Never(), ["a"])  # type: ignore[arg-type]


def test_many_partitions_are_added_in_several_calls() -> None:
    """SQLite takes a bounded number of values in one statement: 250,000 keys once failed."""
    store = Store()
    keys = [f"role-{n}" for n in range(2 * partitions._AT_ONCE + 1)]
    add_partitions(store, keys)  # type: ignore[arg-type]
    assert [len(call) for call in store.added] == [partitions._AT_ONCE, partitions._AT_ONCE, 1]
    assert [key for call in store.added for key in call] == keys


def test_a_run_adds_only_what_is_missing_and_reads_all_keys_once() -> None:
    """An added key makes Dagster rebuild each asset's status cache; reading 100,000 takes time."""
    store = Store(["old"])
    known = KnownPartitions(store)  # type: ignore[arg-type]
    known.ensure(["old", "new"])
    known.ensure(["new", "old"])
    known.ensure(["newer"])
    assert store.added == [["new"], ["newer"]]
    assert store.reads == 1
