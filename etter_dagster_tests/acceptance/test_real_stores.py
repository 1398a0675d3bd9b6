"""The whole main job on Redis, PostgreSQL, Neo4j and Celery, whatever is killed on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from etter_dagster_tests.acceptance.main_job import main_job
from etter_dagster_tests.servers.neo4j import Neo4jServer, neo4j_server
from etter_dagster_tests.servers.redis import RedisServer, redis_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ROLES = 120


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def own_neo4j() -> Iterator[Neo4jServer]:
    with neo4j_server() as server:
        yield server


def test_a_worker_redis_and_neo4j_are_killed_and_every_role_is_ready_once(
    tmp_path: Path, own_redis: RedisServer, own_neo4j: Neo4jServer, postgres_url: str
) -> None:
    """None lost, none assessed twice from the same inputs, all stores agree."""
    course = main_job(tmp_path, own_redis, postgres_url, own_neo4j, roles=ROLES)
    assert sum(course.attempts.values()) == ROLES
    # The killed worker's roles took a second lease; an outage of a store takes none.
    assert max(course.attempts) <= 2
