"""The embedded queue between real processes, killed ones too."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from etter_dagster.onboarding.services import utc_now
from etter_dagster.settings import Settings
from etter_dagster.stores import open_queue
from etter_dagster.stores.protocols import ClaimLimits


def start(data_dir: Path, act: str, name: str, n: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "etter_dagster_tests.stores.queue_process",
            str(data_dir),
            act,
            name,
            str(n),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )


def lines_of(process: subprocess.Popen[str]) -> list[str]:
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out.split()


def test_processes_racing_on_a_new_file_lose_and_repeat_nothing(tmp_path: Path) -> None:
    """They make the file at once, push at once and claim at once."""
    pushers = [start(tmp_path, "push", f"p{i}", 40) for i in range(2)]
    workers = [start(tmp_path, "work", f"w{i}", 5) for i in range(2)]
    pushed = [line for process in pushers for line in lines_of(process)]
    done = [line for process in workers for line in lines_of(process)]
    assert len(pushed) == 80
    assert sorted(done) == sorted(pushed)


async def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    """`kill -9` in the middle of writing: every push that was answered is there."""
    process = start(tmp_path, "push", "p", 100_000)
    assert process.stdout is not None
    answered = [process.stdout.readline().strip() for _ in range(50)]
    process.kill()
    answered += process.stdout.read().split()
    process.wait()
    queue = open_queue(Settings(data_dir=tmp_path))
    found = await queue.get_many(answered)
    assert set(found) == set(answered)
    await queue.ping()
    await queue.close()


async def test_a_killed_workers_pushes_are_claimed_again_when_its_leases_lapse(
    tmp_path: Path,
) -> None:
    pushed = lines_of(start(tmp_path, "push", "p", 30))
    worker = start(tmp_path, "work", "w", 3)
    assert worker.stdout is not None
    finished = {worker.stdout.readline().strip()}
    worker.kill()
    finished |= set(worker.stdout.read().split())
    worker.wait()

    queue = open_queue(Settings(data_dir=tmp_path), clock=lambda: utc_now() + timedelta(minutes=1))
    claims = await queue.claim("next", 100, limits=ClaimLimits(), lease_seconds=30)
    again = {claim.push.workflow_id for claim in claims}
    # A finish that was on disk but not printed any more is neither lost nor repeated.
    ended = {push.workflow_id for push in await queue.outbox(100)}
    assert finished <= ended
    assert again | ended == set(pushed)
    assert not again & ended
    await queue.close()
