"""The main job on Redis, PostgreSQL, Neo4j and two Celery workers, all of which are killed once:
`python -m benchmarks.real_stores [ROLES]`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from etter_dagster_tests.acceptance.main_job import main_job
from etter_dagster_tests.servers.neo4j import Neo4jServer
from etter_dagster_tests.servers.postgres import postgres_server
from etter_dagster_tests.servers.redis import redis_server


def main(roles: int) -> None:
    """Prints what happened when."""
    neo4j = Neo4jServer()
    try:
        neo4j.start()
        neo4j.migrate()
        with tempfile.TemporaryDirectory() as folder, redis_server() as redis:
            with postgres_server() as postgres:
                course = main_job(Path(folder), redis, postgres.url, neo4j, roles=roles)
            print(f"leases a role took: {dict(sorted(course.attempts.items()))}")
    finally:
        neo4j.remove()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
