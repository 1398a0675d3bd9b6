"""Each kind of queue between real processes, killed and paused ones too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from etter_dagster.onboarding.services import utc_now
from etter_dagster.settings import Settings
from etter_dagster.stores import open_queue
from etter_dagster.stores.protocols import ClaimLimits
from etter_dagster_tests.servers.redis import RedisServer


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Where the processes' queue is."""
    settings = Settings(data_dir=tmp_path, enable_mock_data=False)
    if request.param == "sqlite":
        return settings
    server: RedisServer = request.getfixturevalue("redis")
    return server.settings(settings)


def start(place: Settings, act: str, name: str, n: int) -> subprocess.Popen[str]:
    password = place.redis_password.get_secret_value() if place.redis_password else ""
    address = {
        "ETTER_REDIS_HOST": str(place.redis_host),
        "ETTER_REDIS_PORT": str(place.redis_port),
        "ETTER_REDIS_PASSWORD": password,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "etter_dagster_tests.stores.queue_process", act, name, str(n)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ
        | {"ETTER_DATA_DIR": str(place.data_dir)}
        | ({} if place.embedded_queue else address),
    )


def lines_of(process: subprocess.Popen[str]) -> list[str]:
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out.split()


def test_processes_racing_on_a_new_queue_lose_and_repeat_nothing(place: Settings) -> None:
    """They make the store at once, push at once and claim at once."""
    pushers = [start(place, "push", f"p{i}", 40) for i in range(2)]
    workers = [start(place, "work", f"w{i}", 5) for i in range(2)]
    pushed = [line for process in pushers for line in lines_of(process)]
    done = [line for process in workers for line in lines_of(process)]
    assert len(pushed) == 80
    assert sorted(done) == sorted(pushed)


async def test_what_was_answered_survives_a_kill(place: Settings) -> None:
    """`kill -9` in the middle of writing: every push that was answered is there."""
    process = start(place, "push", "p", 100_000)
    assert process.stdout is not None
    answered = [process.stdout.readline().strip() for _ in range(50)]
    process.kill()
    answered += process.stdout.read().split()
    process.wait()
    queue = open_queue(place)
    found = await queue.get_many(answered)
    assert set(found) == set(answered)
    await queue.ping()
    await queue.close()


async def test_a_killed_workers_pushes_are_claimed_again_when_its_leases_lapse(
    place: Settings,
) -> None:
    pushed = lines_of(start(place, "push", "p", 30))
    worker = start(place, "work", "w", 3)
    assert worker.stdout is not None
    finished = {worker.stdout.readline().strip()}
    worker.kill()
    finished |= set(worker.stdout.read().split())
    worker.wait()

    queue = open_queue(place, clock=lambda: utc_now() + timedelta(minutes=1))
    claims = await queue.claim("next", 100, limits=ClaimLimits(), lease_seconds=30)
    again = {claim.push.workflow_id for claim in claims}
    # A finish that was on disk but not printed any more is neither lost nor repeated.
    ended = {push.workflow_id for push in await queue.outbox(100)}
    assert finished <= ended
    assert again | ended == set(pushed)
    assert not again & ended
    await queue.close()


async def test_a_worker_paused_past_its_lease_writes_nowhere_when_it_wakes_up(
    place: Settings,
) -> None:
    """A stopped process does not know that time passed; its token says so for it."""
    (pushed,) = lines_of(start(place, "push", "p", 1))
    paused = start(place, "sleep", "paused", 1)
    assert paused.stdout is not None
    assert paused.stdout.readline().strip() == pushed
    os.waitpid(paused.pid, os.WUNTRACED)  # noqa: ASYNC222 - it stops itself, outside a write

    queue = open_queue(place, clock=lambda: utc_now() + timedelta(minutes=1))
    (claim,) = await queue.claim("next", 1, limits=ClaimLimits(), lease_seconds=30)
    before = await queue.get(pushed)
    os.kill(paused.pid, signal.SIGCONT)
    assert lines_of(paused) == ["progress", "finish", "give_back"]  # each was refused
    assert await queue.get(pushed) == before
    assert claim.push.workflow_id == pushed
    await queue.close()
