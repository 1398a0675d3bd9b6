"""The version of what Redis keeps: brought forward by `etter migrate`, else refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from etter_dagster.model.errors import SchemaMismatch
from etter_dagster.settings import Settings
from etter_dagster.stores import open_access, open_ledger, open_queue
from etter_dagster.stores.migrations import Migrated, migrate, require_schema
from etter_dagster.stores.redis_schema import MIGRATIONS, VERSION_KEY
from etter_dagster_tests.contract.records import new_push
from etter_dagster_tests.servers.redis import RedisServer, redis_server

NEWEST = len(MIGRATIONS)


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    running.empty()
    return running


@pytest.fixture
def staging(server: RedisServer, tmp_path: Path) -> Settings:
    """Where nothing follows by itself."""
    plain = Settings(data_dir=tmp_path, environment="staging", enable_mock_data=False)
    return server.settings(plain)


def version(server: RedisServer) -> str | None:
    with server.client() as client:
        found: str | None = client.get(VERSION_KEY)
    return found


async def push_to(settings: Settings) -> None:
    queue = open_queue(settings)
    try:
        await queue.enqueue([new_push()], capacity=10)
    finally:
        await queue.close()


async def test_an_empty_redis_gets_this_codes_version(
    staging: Settings, server: RedisServer
) -> None:
    """There is nothing to bring forward: neither a first start nor a lost Redis needs a person."""
    await push_to(staging)
    assert version(server) == str(NEWEST)
    await require_schema(staging)


async def test_what_is_there_without_a_version_is_refused_until_migrated(
    staging: Settings, server: RedisServer
) -> None:
    """Versions came after the first pushes: what those left has the number 0."""
    await push_to(staging)
    with server.client() as client:
        client.delete(VERSION_KEY)
    with pytest.raises(SchemaMismatch, match="run `etter migrate`"):
        await push_to(staging)
    with pytest.raises(SchemaMismatch, match="run `etter migrate`"):
        await require_schema(staging)
    assert version(server) is None
    assert Migrated(store="queue", before=0, now=NEWEST) in await migrate(staging)
    assert Migrated(store="queue", before=NEWEST, now=NEWEST) in await migrate(staging)
    await require_schema(staging)


async def test_in_development_it_follows_by_itself(staging: Settings, server: RedisServer) -> None:
    await push_to(staging)
    with server.client() as client:
        client.delete(VERSION_KEY)
    await require_schema(staging.with_changes(environment="development"))
    assert version(server) == str(NEWEST)


@pytest.mark.parametrize("environment", ["development", "staging"])
async def test_a_newer_redis_is_refused_by_all_that_is_kept_there(
    staging: Settings, server: RedisServer, environment: str
) -> None:
    """An old worker that starts late would write what the new ones cannot read."""
    with server.client() as client:
        client.set(VERSION_KEY, NEWEST + 1)
    settings = staging.with_changes(environment=environment)
    queue, ledger, access = open_queue(settings), open_ledger(settings), open_access(settings)
    for refused in (
        require_schema(settings),
        migrate(settings),
        queue.ping(),
        ledger.ping(),
        access.hit("a", limit=1),
    ):
        with pytest.raises(SchemaMismatch, match="newer Etter") as caught:
            await refused
        assert not caught.value.recoverable
    for store in (queue, ledger, access):
        await store.close()
    assert version(server) == str(NEWEST + 1)
