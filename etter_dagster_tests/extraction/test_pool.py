"""The processes that read documents: what is bounded, and what survives."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from etter_dagster.extraction import pool as pool_module
from etter_dagster.extraction.pool import Pool
from etter_dagster.extraction.verdicts import TooMuchText, Unreadable
from etter_dagster_tests.cli.processes import eventually

HOSTILE = "etter_dagster_tests.extraction.hostile_worker"


def hostile_pool(wall_seconds: float = 60.0) -> Pool:
    return Pool(2, (sys.executable, "-m", HOSTILE, str(wall_seconds)), patience=120)


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = hostile_pool()
    yield pool
    pool.close()


@pytest.mark.parametrize(
    ("format_", "reason"),
    [
        ("spin", "takes more than 1 seconds"),
        ("eat", "needs more than 1024 MiB of memory"),
        ("crash", "needs more than 1024 MiB of memory"),
    ],
)
def test_a_document_that_does_harm_fails_alone(pool: Pool, format_: str, reason: str) -> None:
    """A zip bomb once took the whole service down with it; here it takes a fork."""
    with pytest.raises(Unreadable, match=reason):
        pool.text(format_, b"")
    (worker,) = pool._idle
    assert pool.text("echo", "é".encode()) == "é"
    assert pool._idle == [worker], "the same process went on"


def test_a_document_that_never_stops_giving_text_is_ended(pool: Pool) -> None:
    with pytest.raises(TooMuchText):
        pool.text("talk", b"")


def test_a_document_that_only_waits_is_ended(pool: Pool) -> None:
    """No limit on processor time catches a read of something that never comes."""
    impatient = hostile_pool(wall_seconds=0.2)
    with pytest.raises(Unreadable, match=r"takes more than 0\.2 seconds"):
        impatient.text("sleep", b"")
    assert impatient.text("echo", b"x") == "x"
    impatient.close()


def test_a_worker_that_hangs_is_killed() -> None:
    hanging = Pool(1, (sys.executable, "-c", "import time; time.sleep(3600)"), patience=0.2)
    with pytest.raises(Unreadable, match="died; try again"):
        hanging.text("echo", b"x")
    assert hanging._idle == []


def test_a_worker_that_dies_is_replaced(pool: Pool) -> None:
    assert pool.text("echo", b"1") == "1"
    (worker,) = pool._idle
    worker.kill()
    worker.wait()
    assert pool.text("echo", b"2") == "2"
    with pytest.raises(Unreadable, match="died"):
        pool.text("stop_worker", b"")
    assert pool.text("echo", b"3") == "3"


def test_a_document_that_waits_ends_although_its_worker_was_killed() -> None:
    """Its fork stayed for an hour: nobody was left to end it."""
    wall_seconds = 0.123  # no other process is called like this
    orphaning = hostile_pool(wall_seconds)
    with pytest.raises(Unreadable, match="died"):
        orphaning.text("stop_worker", b"")
    assert _called(str(wall_seconds))
    eventually(lambda: not _called(str(wall_seconds)), "a fork stayed", every=0.2)


def _called(argument: str) -> list[int]:
    return [
        p.pid for p in psutil.process_iter(["cmdline"]) if argument in (p.info["cmdline"] or ())
    ]


def test_what_reads_documents_knows_no_secret_and_writes_no_file(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETTER_LLM_API_KEY", "secret")
    assert "ETTER" not in pool.text("environment", b"")
    path = tmp_path / "written"
    with pytest.raises(Unreadable):
        pool.text("write", str(path).encode())
    assert not path.exists() or path.stat().st_size == 0


def test_many_threads_share_few_processes(pool: Pool) -> None:
    with ThreadPoolExecutor(16) as threads:
        texts = [f"{n} " * 1000 for n in range(100)]
        found = threads.map(lambda text: pool.text("echo", text.encode()), texts)
        assert list(found) == texts
    assert 1 <= len(pool._idle) <= 2


def test_a_fork_of_the_service_has_processes_of_its_own(pool: Pool) -> None:
    """Two processes on one pair of pipes would get each other's texts (gunicorn forks)."""
    assert pool.text("echo", b"parent") == "parent"
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(write, str(len(pool._idle)).encode() + pool.text("echo", b"child").encode())
            pool.close()
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        assert pipe.read() == "0child"
    os.waitpid(pid, 0)
    assert pool.text("echo", b"parent") == "parent"


def test_no_process_is_started_before_a_document_comes() -> None:
    before = threading.active_count()
    assert Pool()._idle == []
    assert threading.active_count() == before


def test_a_document_is_read_although_all_idle_workers_have_ended() -> None:
    """They end by themselves after a while; the first document after a pause was refused."""
    pool = pool_module.Pool()
    for _ in range(pool_module.WORKERS):
        worker = pool_module._start(pool_module._COMMAND)
        worker.kill()
        worker.wait()
        pool._idle.append(worker)
    try:
        assert pool.text("html", b"<h1>Cook</h1>") == "# Cook"
    finally:
        pool.close()
