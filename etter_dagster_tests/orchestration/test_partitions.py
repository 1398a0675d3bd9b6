"""Roles as partitions: added in bulk, each once, without asking again for what is known."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

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
