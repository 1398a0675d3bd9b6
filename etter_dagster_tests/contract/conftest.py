"""Each kind of store, opened empty; the tests of this folder pass over all of them unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from etter_dagster.settings import Settings
from etter_dagster.stores import PushQueue, RoleGraph, open_graph, open_queue
from etter_dagster_tests.conftest import Clock


@pytest.fixture(params=["sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of one kind of store; every store opened with them holds the same data."""
    return Settings(data_dir=tmp_path / "stores", enable_mock_data=False)


@pytest.fixture
def open_a_queue(stores: Settings, clock: Clock) -> Callable[[], PushQueue]:
    """Opens the same queue again, as another process would."""
    return lambda: open_queue(stores, clock)


@pytest.fixture
async def queue(open_a_queue: Callable[[], PushQueue]) -> AsyncIterator[PushQueue]:
    opened = open_a_queue()
    yield opened
    await opened.close()


@pytest.fixture
async def graph(stores: Settings, clock: Clock) -> AsyncIterator[RoleGraph]:
    opened = open_graph(stores, clock)
    yield opened
    await opened.close()
