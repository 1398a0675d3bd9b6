"""What stops a start in production, all told at once, whichever process it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from etter_dagster.api import create_app
from etter_dagster.settings import Settings
from etter_dagster.stores.starting import reasons_not_to_start
from etter_dagster_tests.servers.redis import redis_server

BIN = Path(sys.executable).parent
MISSING = ("API_KEYS_FILE", "NEO4J_URI", "DAGSTER_POSTGRES_URL", "ENABLE_MOCK_DATA=false")


def test_every_process_names_all_that_is_missing_and_the_redis_that_may_lose_pushes(
    tmp_path: Path,
) -> None:
    """Redis' own default syncs once a second: whoever corrects the rest must learn of it now."""
    with redis_server(appendfsync="everysec", maxmemory_policy="allkeys-lru") as weak:
        given = {
            "ETTER_ENVIRONMENT": "production",
            "ETTER_REDIS_HOST": "127.0.0.1",
            "ETTER_REDIS_PORT": str(weak.port),
            "ETTER_REDIS_PASSWORD": weak.options["requirepass"],
            "ETTER_RUN_LAUNCHER": "celery",
            "ETTER_CELERY_BROKER_URL": f"redis://127.0.0.1:{weak.port}/1",
            "ETTER_DATA_DIR": str(tmp_path / "data"),
        }
        uvicorn = ("uvicorn", "etter_dagster.api:app", "--port", "0")
        gunicorn = ("gunicorn", "etter_dagster.api:app", "--bind", "127.0.0.1:0")
        for command in (
            (BIN / "etter", "worker"),
            (BIN / "etter", "up"),
            (sys.executable, "-m", *uvicorn),
            (sys.executable, "-m", *gunicorn, "--worker-class", "uvicorn.workers.UvicornWorker"),
        ):
            refused = subprocess.run(
                command,
                env=os.environ | given,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=200,
            )
            said = refused.stdout + refused.stderr
            assert refused.returncode != 0, command
            for name in MISSING:
                assert f"ETTER_{name}" in said, (command, said)
            assert "appendfsync is everysec, set it to always" in said, command
            assert "maxmemory-policy is allkeys-lru" in said, command
            assert weak.options["requirepass"] not in said, command
    assert not (tmp_path / "data").exists()


def test_the_daemons_code_location_refuses_too(tmp_path: Path) -> None:
    """The daemon itself is Dagster's program: what it loads of ours is what can refuse."""
    refused = subprocess.run(
        [sys.executable, "-c", "import etter_dagster.definitions"],
        env=os.environ | {"ETTER_ENVIRONMENT": "production", "ETTER_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert refused.returncode != 0
    for name in (*MISSING, "REDIS_HOST"):
        assert f"ETTER_{name}" in refused.stderr


async def test_a_redis_that_is_away_stops_no_start(tmp_path: Path) -> None:
    """It is looked at again at its first use; a power cut must not need a person afterwards."""
    away = Settings(
        data_dir=tmp_path, environment="production", redis_host="127.0.0.1", redis_port=1
    )
    assert not any("Redis" in reason for reason in await reasons_not_to_start(away))


async def test_outside_production_a_weak_redis_is_no_reason(tmp_path: Path) -> None:
    with redis_server(appendonly="no") as weak:
        assert await reasons_not_to_start(weak.settings(Settings(data_dir=tmp_path))) == []


async def test_a_service_that_is_refused_has_opened_nothing(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path / "data", environment="production"))
    with pytest.raises(ValueError, match="refuses to start"):
        async with app.router.lifespan_context(app):
            pass
    assert not (tmp_path / "data").exists()
