"""The processes of the compose file, with its configuration, without containers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil
import pytest

from etter_dagster_tests.cli.processes import eventually
from etter_dagster_tests.deploy.files import COMPOSE, ROOT, example_settings
from etter_dagster_tests.servers.neo4j import Neo4jServer
from etter_dagster_tests.servers.redis import RedisServer
from etter_dagster_tests.servers.shared import free_port
from etter_dagster_tests.standin.app import create_standin
from etter_dagster_tests.standin.server import serving
from etter_dagster_tests.standin.state import StandinState

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
BIN = Path(sys.executable).parent
COMPANY = "Müller & Söhne"
PUSH = {
    "company_id": COMPANY,
    "role_name": "Disponent",
    "draup_role_name": "Dispatcher",
    "documents": [
        {
            "type": "job_description",
            "content": "# Dispatcher\n\n## Key Responsibilities\n- Plan weekly delivery routes\n"
            "- Answer questions of drivers by phone\n- File delivery notes",
        }
    ],
}


@pytest.fixture
def chosen(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An `etter.env` out of the example: its assessor and limits, at an address that is there."""
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "workflow_api_token").write_text("token-of-a-file\n")
    words = ("WORKFLOW_API", "BUDGET", "COST")
    taken = [name for name in example_settings() if any(word in name for word in words)]
    with serving(create_standin(StandinState(token="token-of-a-file"))) as url:
        given = {name: example_settings()[name] for name in ("ETTER_ASSESSOR", *taken)}
        given["ETTER_WORKFLOW_API_BASE_URL"] = url
        yield {name: value.replace("/etc/etter", str(folder)) for name, value in given.items()}


@pytest.fixture
def variables(
    tmp_path: Path,
    redis: RedisServer,
    postgres_url: str,
    neo4j: Neo4jServer,
    chosen: Mapping[str, str],
) -> dict[str, str]:
    """The environment of the compose file; only addresses and the folder of secrets differ."""
    password = redis.options["requirepass"]
    secrets = {
        "neo4j_password": neo4j.variables.get("NEO4J_PASSWORD", ""),
        "redis_password": password,
        "celery_broker_url": f"redis://:{quote(password)}@127.0.0.1:{redis.port}/1",
        "dagster_postgres_url": postgres_url,
    }
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name, text in secrets.items():
        (folder / name).write_text(text)
    given = dict(chosen)  # what the compose file sets wins
    given |= {
        name: str(value).replace("/run/secrets", str(folder))
        for name, value in COMPOSE["services"]["rest"]["environment"].items()
    }
    port, dagster_port = free_port(), free_port()
    given |= {
        "ETTER_NEO4J_URI": neo4j.variables["NEO4J_URI"],
        "ETTER_REDIS_HOST": "127.0.0.1",
        "ETTER_REDIS_PORT": str(redis.port),
        "ETTER_DAGSTER_URL": f"http://127.0.0.1:{dagster_port}",
        "ETTER_DASHBOARD_BASE_URL": "https://etter.example",
        "ETTER_PORT": str(port),
        "ETTER_DAGSTER_PORT": str(dagster_port),
        "ETTER_DATA_DIR": str(tmp_path / "data"),
        "DAGSTER_HOME": str(tmp_path / "data" / "dagster"),
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }
    # As the image has them.
    home = Path(given["DAGSTER_HOME"])
    home.mkdir(parents=True)
    for file in (ROOT / "deploy" / "dagster.yaml", ROOT / "workspace.yaml"):
        shutil.copy(file, home)
        os.utime(home / file.name, (0, 0))
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("ETTER_", "DAGSTER_"))}
    return outside | given


@pytest.fixture
def key(variables: dict[str, str]) -> str:
    """Made before anything starts: `production` refuses to start without one."""
    return etter(variables, "keys", "create", "--company", COMPANY, "--scope", "push").strip()


@pytest.fixture
def started(
    variables: dict[str, str], key: str, tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """`etter migrate`, then the processes of the Procfile."""
    etter(variables, "migrate")
    with (tmp_path / "processes.log").open("wb") as log:
        process = subprocess.Popen(
            [str(BIN / "honcho"), "start", "-f", str(ROOT / "deploy" / "Procfile")],
            env=variables, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    children: list[psutil.Process] = []
    try:
        yield process
    finally:
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        process.kill()


def json_lines(log: Path, name: str) -> Iterator[dict[str, Any]]:
    """What a process of the Procfile logged; honcho puts a time and its name before."""
    for line in log.read_text().splitlines():
        head, _, text = line.partition("| ")
        if name in head and text.startswith("{"):
            yield json.loads(text)


def etter(variables: dict[str, str], *words: str) -> str:
    result = subprocess.run(
        [str(BIN / "etter"), *words], env=variables, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_a_role_gets_ready_in_production(
    variables: dict[str, str], key: str, started: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """What can be seen of a deployment without an engine: every process starts in `production`
    from these settings, finds the others, and a pushed role is assessed by a Celery worker.
    """
    base = f"http://127.0.0.1:{variables['ETTER_PORT']}"
    log = tmp_path / "processes.log"
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {key}"}) as http:

        def healthy() -> bool:
            assert started.poll() is None, log.read_text()[-4000:]
            with suppress(httpx.HTTPError):
                answer = http.get("/api/v1/pipeline/health").json()
                return bool(answer["status"] == "healthy")
            return False

        eventually(healthy, "healthy", 180)
        pushed = http.post("/api/v1/pipeline/push", json=PUSH)
        assert pushed.status_code == 200, pushed.text
        path = f"/api/v1/pipeline/status/{pushed.json()['workflow_id']}"
        try:
            eventually(lambda: http.get(path).json()["completed_at"], "the push has ended", 180)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{log.read_text()[-6000:]}") from None
        status = http.get(path).json()
        assert (status["status"], status["error"]) == ("ready", None)
        assert status["dashboard_url"].startswith("https://etter.example/dashboard/M%C3%BCller")
        made = http.get(f"/api/v1/pipeline/assessments/{status['role_id']}").json()
        assert made["assessor"]["name"] == "workflow_api", "as etter.env says"
        assert http.get(path, headers={"Authorization": "Bearer etk_wrong"}).status_code == 401
    ended = [line for line in json_lines(log, "worker") if "ended ready" in line["message"]]
    assert [line["workflow_id"] for line in ended] == [status["workflow_id"]]
    assert ended[0]["run_id"]
    assert ended[0]["role_id"] == status["role_id"]
    for name in ("rest", "webserver", "daemon"):
        assert list(json_lines(log, name)), f"{name} does not log in JSON"
    # The containers are read-only: whatever is written must go into the stores.
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"dagster.yaml", "workspace.yaml"}
    assert {path.stat().st_mtime for path in files} == {0}, "one was written"
