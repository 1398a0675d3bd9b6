"""`etter up` with its real programs: what it says, what it survives, and that it leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import httpx
import psutil
import pytest

from etter_dagster.cli.dagster_web import DagsterWeb
from etter_dagster.cli.demo_roles import choose, push
from etter_dagster.cli.engine import Ports, configure_dagster
from etter_dagster.cli.ports import claim_port, is_listening
from etter_dagster.client import EtterClient
from etter_dagster.model.errors import ValidationFailed
from etter_dagster.settings import Settings
from etter_dagster_tests.cli.processes import WAIT_SECONDS, eventually, left, own_ports, started
from etter_dagster_tests.servers.shared import free_port

ETTER = str(Path(sys.executable).with_name("etter"))
PREFIX = "/api/v1/pipeline"


def environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    quick = {"ETTER_LINGER_SECONDS": "1", "ETTER_LEASE_SECONDS": "3"}
    return {**kept, **quick, **own_ports(), "ETTER_DATA_DIR": str(folder / "data")}


def up_json(folder: Path) -> dict[str, Any]:
    path = folder / "data" / "up.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


@contextmanager
def up(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A service with its state in the folder, ready."""
    log = folder / "up.log"
    command = [ETTER, "up", *arguments]
    with started(command, env=environment(folder), log=log, cwd=folder) as process:
        eventually(
            lambda: "is up:" in log.read_text() or process.poll() is not None,
            "it is ready",
            seconds=120,
        )
        assert process.poll() is None, log.read_text()
        yield process


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def runs(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Processes of Dagster runs: children of the code server that do work of their own."""
    found = []
    for child in family(process):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_it_serves_says_where_refuses_a_second_and_ends_clean(tmp_path: Path) -> None:
    """One start for all of this: a start takes seconds."""
    with up(tmp_path) as process:
        where = up_json(tmp_path)
        assert where["pid"] == process.pid
        health = httpx.get(f"{where['url']}{PREFIX}/health").json()
        assert health["components"]["queue"] == "healthy"
        assert httpx.get(where["dagster_url"]).status_code == 200

        second = subprocess.run(
            [ETTER, "up"], env=environment(tmp_path), capture_output=True, text=True
        )
        assert second.returncode == 3
        assert str(process.pid) in second.stderr
        assert where["url"] in second.stderr

        rest = next(p for p in family(process) if "uvicorn" in " ".join(p.cmdline()))
        rest.kill()
        eventually(
            lambda: "rest | ended (signal 9)" in (tmp_path / "up.log").read_text(), "it is said"
        )
        port = int(where["url"].rpartition(":")[2])
        eventually(lambda: is_listening("127.0.0.1", port), "REST is there again")

        processes = family(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert not left(processes)
        assert not up_json(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_killed_in_the_middle_it_leaves_nothing_and_loses_nothing(tmp_path: Path) -> None:
    """`kill -9` while a serving run holds leases; the next start makes every role ready."""
    with up(tmp_path) as process:
        with EtterClient(up_json(tmp_path)["url"]) as client:
            pushed = [push(client, r, real=False, force=False) for r in choose(None, None)]
        eventually(lambda: runs(process), "a run works")
        processes = family(process)
        process.kill()
        process.wait(WAIT_SECONDS)
        eventually(lambda: not left(processes), "all have ended")

    env = environment(tmp_path)
    done = subprocess.run(
        [ETTER, "up", "--once"], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stderr
    settings_env = {"ETTER_DATA_DIR": env["ETTER_DATA_DIR"]}
    assert states(settings_env, [role.workflow_id for role in pushed]) == {"ready"}


def states(env: dict[str, str], workflow_ids: list[str]) -> set[str]:
    """What became of pushes, read from the stores."""
    code = """
import asyncio, sys
from etter_dagster.onboarding.services import open_services
from etter_dagster.onboarding.status import statuses_of
from etter_dagster.settings import get_settings
async def main():
    services = open_services(get_settings())
    found = await statuses_of(services, sys.argv[1:])
    await services.close()
    assert found.keys() == set(sys.argv[1:]), found
    print(" ".join({view.status.value for view in found.values()}))
asyncio.run(main())
"""
    answer = subprocess.run(
        [sys.executable, "-c", code, *workflow_ids],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(answer.stdout.split())


def test_settings_that_are_not_safe_are_refused_before_anything_starts(tmp_path: Path) -> None:
    env = environment(tmp_path) | {"ETTER_ENVIRONMENT": "production"}
    refused = subprocess.run([ETTER, "up"], env=env, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "ETTER_API_KEYS_FILE" in refused.stderr
    assert "ETTER_NEO4J_URI" in refused.stderr
    assert not (tmp_path / "data").exists()


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    env = environment(tmp_path) | {"ETTER_DATA_DIR": str(tmp_path / "file" / "data")}
    refused = subprocess.run([ETTER, "up"], env=env, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "ETTER_DATA_DIR" in refused.stderr


def test_a_taken_port_gives_way_to_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with closing(claim_port("127.0.0.1", port).claim) as claim:
            assert claim.getsockname()[1] not in (0, port)
    with closing(claim_port("127.0.0.1", port).claim) as claim:
        assert claim.getsockname()[1] == port


def test_two_that_start_at_once_on_the_usual_ports_take_different_ones(tmp_path: Path) -> None:
    """Both found them free, seconds before either listened; one then died of its own start."""
    settings = Settings(data_dir=tmp_path, port=free_port(), dagster_port=free_port())
    first, second = Ports.claim(settings), Ports.claim(settings)
    assert (first.rest, first.dagster) == (settings.port, settings.dagster_port)
    taken = {first.rest, first.dagster, first.code}
    assert not taken & {second.rest, second.dagster, second.code}
    first.release()
    third = Ports.claim(settings)
    assert (third.rest, third.dagster) == (settings.port, settings.dagster_port)
    second.release()
    third.release()


def test_dagsters_folder_gets_our_settings_and_newer_ones_of_ours(tmp_path: Path) -> None:
    ours = resources.files("etter_dagster.orchestration").joinpath("dagster.yaml").read_text()
    assert configure_dagster(tmp_path, Settings(data_dir=tmp_path))
    assert (tmp_path / "dagster.yaml").read_text() == ours
    (tmp_path / "dagster.yaml").write_text(ours.split("\n")[0] + "\n# of an earlier version\n")
    assert configure_dagster(tmp_path, Settings(data_dir=tmp_path))
    assert (tmp_path / "dagster.yaml").read_text() == ours


@pytest.mark.parametrize("launcher", ["process", "celery"])
def test_settings_of_dagster_that_are_there_are_not_written_again(
    launcher: Literal["process", "celery"], tmp_path: Path
) -> None:
    """In the image they are there, and the container's file system is read-only."""
    settings = Settings(data_dir=tmp_path, run_launcher=launcher)
    configure_dagster(tmp_path, settings)
    os.utime(tmp_path / "dagster.yaml", (0, 0))
    assert configure_dagster(tmp_path, settings)
    assert (tmp_path / "dagster.yaml").stat().st_mtime == 0


def test_settings_of_an_older_etter_that_cannot_be_replaced_are_an_error(tmp_path: Path) -> None:
    """A link to nowhere cannot be written, also by root, for whom nothing is read-only."""
    (tmp_path / "dagster.yaml").symlink_to(tmp_path / "nowhere" / "dagster.yaml")
    with pytest.raises(ValidationFailed, match=r"dagster\.yaml is not as this Etter needs it"):
        configure_dagster(tmp_path, Settings(data_dir=tmp_path))


def test_somebodys_own_dagster_settings_are_left_alone(tmp_path: Path) -> None:
    """`DAGSTER_HOME` of a Dagster person is theirs."""
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: true\n")
    assert not configure_dagster(tmp_path, Settings(data_dir=tmp_path))
    assert (tmp_path / "dagster.yaml").read_text() == "telemetry:\n  enabled: true\n"


def dagster(beat: float | None, loaded: str | None = "RepositoryLocation") -> DagsterWeb:
    """A webserver that answers so."""
    location = {"__typename": loaded} if loaded else None
    data = {
        "workspaceOrError": {"locationEntries": [{"locationOrLoadError": location}]},
        "instance": {
            "daemonHealth": {
                "allDaemonStatuses": [{"daemonType": "SENSOR", "lastHeartbeatTime": beat}]
            }
        },
    }
    return DagsterWeb(
        "http://dagster", httpx.MockTransport(lambda _: httpx.Response(200, json={"data": data}))
    )


def test_dagster_is_ready_once_its_daemon_has_a_heartbeat_of_this_start() -> None:
    """Dagster calls a daemon healthy for minutes after its last heartbeat, also a dead one."""
    assert dagster(beat=101.0).lacks(since=100.0) is None
    assert dagster(beat=99.0).lacks(since=100.0) == "the Dagster daemon has no heartbeat"
    assert dagster(beat=None).lacks(since=100.0) == "the Dagster daemon has no heartbeat"


def test_dagster_is_not_ready_without_our_definitions() -> None:
    lacks = "Dagster has not loaded Etter's definitions"
    assert dagster(beat=101.0, loaded=None).lacks(since=100.0) == lacks
    assert dagster(beat=101.0, loaded="PythonError").lacks(since=100.0) == lacks


def test_dagster_that_answers_nonsense_is_not_ready() -> None:
    web = DagsterWeb("http://d", httpx.MockTransport(lambda _: httpx.Response(502, text="<html>")))
    assert web.lacks(since=0.0) == "Dagster's webserver does not answer"
    web.end_runs()  # and ending does not fail on it either
