"""Each kind of store, opened empty; the tests of this folder pass over all of them unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from etter_dagster.settings import Settings
from etter_dagster.stores import PushQueue, RoleGraph, open_graph, open_queue
from etter_dagster_tests.conftest import Clock
from etter_dagster_tests.servers.neo4j import Neo4jServer
from etter_dagster_tests.servers.redis import RedisServer


@pytest.fixture
def embedded_stores(tmp_path: Path) -> Settings:
    """Settings of embedded stores; every store opened with them holds the same data."""
    return Settings(data_dir=tmp_path / "stores", enable_mock_data=False)


@pytest.fixture(params=["sqlite", "neo4j"])
def graph_stores(request: pytest.FixtureRequest, embedded_stores: Settings) -> Settings:
    """Settings of each kind of graph."""
    if request.param == "sqlite":
        return embedded_stores
    server: Neo4jServer = request.getfixturevalue("neo4j")
    return server.settings(embedded_stores)


@pytest.fixture(params=["sqlite", "redis"])
def queue_stores(request: pytest.FixtureRequest, embedded_stores: Settings) -> Settings:
    """Settings of each kind of queue."""
    if request.param == "sqlite":
        return embedded_stores
    server: RedisServer = request.getfixturevalue("redis")
    return server.settings(embedded_stores)


@pytest.fixture
def open_a_queue(queue_stores: Settings, clock: Clock) -> Callable[[], PushQueue]:
    """Opens the same queue again, as another process would."""
    return lambda: open_queue(queue_stores, clock)


@pytest.fixture
def new_queue(
    queue_stores: Settings, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], PushQueue]:
    """Opens an empty queue at each call."""

    def opened() -> PushQueue:
        if queue_stores.embedded_queue:
            folder = tmp_path_factory.mktemp("queue")
            return open_queue(queue_stores.with_changes(data_dir=folder), Clock())
        request.getfixturevalue("_running_redis").empty()
        return open_queue(queue_stores, Clock())

    return opened


@pytest.fixture
async def queue(open_a_queue: Callable[[], PushQueue]) -> AsyncIterator[PushQueue]:
    opened = open_a_queue()
    yield opened
    await opened.close()


@pytest.fixture
async def graph(graph_stores: Settings, clock: Clock) -> AsyncIterator[RoleGraph]:
    opened = open_graph(graph_stores, clock)
    yield opened
    await opened.close()
