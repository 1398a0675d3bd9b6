"""Canaries in every secret setting of a real `etter up`: none may be seen anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from etter_dagster.settings import Settings
from etter_dagster_tests.chaos.service import PREFIX, Up, processes_of, up, wait_ended
from etter_dagster_tests.cli.processes import eventually
from etter_dagster_tests.keys import add_key, secret_of
from etter_dagster_tests.servers.postgres import PostgresServer
from etter_dagster_tests.support import JD

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CANARY = "canary0f5e"
# As each stands in a setting; a URL is one that refuses, so that errors tell of it.
PLANTED = {
    "neo4j_password": CANARY,
    "redis_password": CANARY,
    "celery_broker_url": f"redis://user:{CANARY}@127.0.0.1:9/1",
    "workflow_api_token": CANARY,
    "llm_api_key": CANARY,
    "taxonomy_api_token": CANARY,
    "documents_api_token": CANARY,
    "notify_webhook_url": f"http://127.0.0.1:9/{CANARY}",
    "notify_webhook_secret": CANARY,
}
# It chooses Dagster's storage, which must be there: planted with a real server.
WITH_A_SERVER = {"dagster_postgres_url"}
RUNS = "{ runsOrError { ... on Runs { results { runId runConfigYaml tags { key value } } } } }"
INSTANCE = "{ instance { info } }"
RESOURCES = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  allTopLevelResourceDetails { name description configuredValues { key value type } }
  assetNodes { assetKey { path } description metadataEntries { label description } }
} } } }"""
EVENTS = """query($id: ID!) { logsForRun(runId: $id) {
  ... on EventConnection { events { __typename ... on MessageEvent { message } } } } }"""


def test_every_secret_setting_has_a_canary() -> None:
    """A new secret is planted here, too."""
    assert set(PLANTED) | WITH_A_SERVER == set(Settings.SECRETS)


@pytest.mark.parametrize(("log_format", "in_postgres"), [("json", True), ("text", False)])
def test_no_secret_shows_anywhere(
    tmp_path: Path, log_format: str, in_postgres: bool, request: pytest.FixtureRequest
) -> None:
    """Logs, files, answers, errors, Dagster's runs, storage and GraphQL, the process list."""
    data = tmp_path / "data"
    add_key(tmp_path / "keys.json", "all")
    secrets = {f"ETTER_{name.upper()}": value for name, value in PLANTED.items()}
    server: PostgresServer | None = None
    database = ""
    if in_postgres:
        server = request.getfixturevalue("postgres")
        database = server.new_database().rpartition("/")[2]
        server.ask(f"CREATE ROLE planted SUPERUSER LOGIN PASSWORD '{CANARY}'")
        url = f"postgresql://planted:{CANARY}@127.0.0.1:{server.port}/{database}"
        secrets["ETTER_DAGSTER_POSTGRES_URL"] = url
    with up(
        data,
        ETTER_API_KEYS_FILE=str(tmp_path / "keys.json"),
        ETTER_LOG_FORMAT=log_format,
        ETTER_LOG_LEVEL="DEBUG",
        **secrets,
    ) as service:
        shown = answers(service)
        shown |= of_dagster(service)
        shown |= {
            f"process {process.pid}": " ".join(process.cmdline()) for process in processes_of(data)
        }
        assert any("etter_dagster.api:app" in line for line in shown.values())
        eventually(lambda: "ConnectError" in log_of(data), "the webhook was tried in vain")
    shown["log"] = log_of(data)
    assert "API keys: 1 in use" in shown["log"]
    for secret in (CANARY, secret_of("all")):
        assert [where for where, text in shown.items() if secret in text] == []
        assert files_with(data, secret.encode()) == []
        if server is not None:
            assert tables_with(server, database, secret) == []


def log_of(data: Path) -> str:
    return (data / "up.log").read_text(errors="replace")


def answers(service: Up) -> dict[str, str]:
    """What REST says, right and wrong."""
    headers = {"Authorization": f"Bearer {secret_of('all')}"}
    shown = {}
    with httpx.Client(base_url=service.url, headers=headers, timeout=60) as http:
        role: dict[str, Any] = {
            "role_name": "Analyst",
            "documents": [{"type": "job_description", "content": JD}],
            "draup_role_name": "Data Analyst",
        }
        batch = http.post(
            f"{PREFIX}/push-batch", json={"company_id": "Acme", "roles": [role]}
        ).json()
        one = {**role, "company_id": "Acme", "role_name": "Clerk"}
        pushed = http.post(f"{PREFIX}/push", json=one).json()
        service.get = lambda path, **_: http.get(PREFIX + path).json()  # type: ignore[method-assign]
        assert wait_ended(service, batch["batch_id"], 120)["completed"] == 1
        for path in (
            "/openapi.json",
            "/metrics",
            "/dashboard",
            "/nothing",
            *(f"{PREFIX}/{p}" for p in ("health", "audit", "pushes", "roles/Acme")),
            f"{PREFIX}/status/{pushed['workflow_id']}",
            f"{PREFIX}/assessments/{pushed['role_id']}",
            f"{PREFIX}/status/x",
            f"{PREFIX}/pushes?cursor=x",
        ):
            shown[path] = http.get(path).text
        shown["wrong body"] = http.post(f"{PREFIX}/push", content=b"\xff").text
        wrong = {"Authorization": f"Bearer {secret_of('all')}x"}
        shown["wrong key"] = http.get(f"{PREFIX}/companies", headers=wrong).text
    assert "healthy" in shown[f"{PREFIX}/health"]
    return shown


def of_dagster(service: Up) -> dict[str, str]:
    """What Dagster's webserver shows of runs, instance and definitions."""
    runs = service.graphql(RUNS)
    shown = {
        "runs": str(runs),
        "instance": str(service.graphql(INSTANCE)),
        "definitions": str(service.graphql(RESOURCES)),
    }
    found = runs["runsOrError"]["results"]
    assert found
    for run in found:
        shown[f"events of {run['runId']}"] = str(service.graphql(EVENTS, id=run["runId"]))
    return shown


def tables_with(server: PostgresServer, database: str, secret: str) -> list[str]:
    """Tables of Dagster's storage that hold it in a row."""
    names = [
        str(n)
        for (n,) in server.ask(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database
        )
    ]
    assert "runs" in names
    assert server.ask("SELECT 1 FROM runs LIMIT 1", database)
    query = "SELECT 1 FROM \"{}\" AS t WHERE t::text LIKE '%{}%' LIMIT 1"
    return [name for name in names if server.ask(query.format(name, secret), database)]


def files_with(folder: Path, secret: bytes) -> list[str]:
    """Files below a folder that hold it: Dagster's and our databases, logs, configuration."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and secret in path.read_bytes()
    ]
