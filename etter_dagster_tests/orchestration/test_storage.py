"""Dagster's event log in SQLite: events that are stored together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from etter_dagster.cli.engine import configure_dagster
from etter_dagster.orchestration.events import newest_event
from etter_dagster.orchestration.storage import PooledSqliteEventLogStorage, together
from etter_dagster.settings import Settings


@pytest.fixture
def instance(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    configure_dagster(tmp_path, settings)
    with dg.DagsterInstance.from_config(str(tmp_path)) as opened:
        yield opened


@pytest.fixture
def other(instance: dg.DagsterInstance, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Another process's view of the same files."""
    with dg.DagsterInstance.from_config(str(tmp_path)) as opened:
        yield opened


def store(instance: dg.DagsterInstance, partition: str) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization("a", partition=partition))


def stored(instance: dg.DagsterInstance) -> set[str]:
    return instance.get_materialized_partitions(dg.AssetKey("a"))


def test_others_see_nothing_of_what_is_stored_together_before_its_end(
    instance: dg.DagsterInstance, other: dg.DagsterInstance
) -> None:
    assert isinstance(instance.event_log_storage, PooledSqliteEventLogStorage)
    ids = []
    with together(instance.event_log_storage):
        for partition in "xyz":
            store(instance, partition)
            ids.append(newest_event(instance))
        assert stored(instance) == {"x", "y", "z"}
        assert stored(other) == set()
    assert stored(other) == {"x", "y", "z"}
    assert ids == sorted({i for i in ids if i is not None}), "each event has its own id"
    assert newest_event(other) == ids[-1]


def test_what_breaks_off_leaves_nothing_and_the_next_is_stored(
    instance: dg.DagsterInstance, other: dg.DagsterInstance
) -> None:
    def break_off() -> None:
        with together(instance.event_log_storage):
            store(instance, "x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    store(instance, "y")
    assert stored(instance) == stored(other) == {"y"}


def test_another_thread_stores_when_the_block_has_ended(instance: dg.DagsterInstance) -> None:
    """Dagster's own thread logs what the run does, meanwhile."""
    begun, thread = threading.Event(), None

    def act() -> None:
        begun.set()
        store(instance, "from the other")

    with together(instance.event_log_storage):
        store(instance, "x")
        thread = threading.Thread(target=act)
        thread.start()
        assert begun.wait(10)
        store(instance, "y")
    thread.join(30)
    assert stored(instance) == {"x", "y", "from the other"}


def test_a_storage_that_cannot_stores_one_by_one() -> None:
    with dg.DagsterInstance.ephemeral() as instance, together(instance.event_log_storage):
        store(instance, "x")
        assert stored(instance) == {"x"}
