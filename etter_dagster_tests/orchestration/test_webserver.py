"""Dagster's webserver of `etter up` takes nothing that another site's page makes a browser send."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import httpx
import pytest

from etter_dagster.orchestration.webserver import may_pass
from etter_dagster_tests.cli.processes import eventually
from etter_dagster_tests.servers.shared import free_port

HOST = "127.0.0.1:3000"
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "passes"),
    [
        ("POST", "/graphql", JSON, True),
        ("POST", "/graphql", {**JSON, "origin": f"http://{HOST}"}, True),
        ("GET", "/", {"sec-fetch-site": "cross-site"}, True),
        ("GET", "/assets/x", {"host": "localhost:3000"}, True),
        ("GET", "/graphql", {"accept": "text/html,*/*"}, True),
        (None, "/graphql", {"origin": f"http://{HOST}"}, True),
        ("GET", "/graphql", {"accept": "image/*"}, False),
        ("GET", "/p/graphql/", {}, False),
        ("POST", "/graphql", {"content-type": "text/plain"}, False),
        ("POST", "/graphql", {"content-type": "text/plain; application/json"}, False),
        ("POST", "/report_asset_materialization/x", {}, False),
        ("POST", "/graphql", {**JSON, "origin": "https://evil.example"}, False),
        ("POST", "/graphql", {**JSON, "origin": "null"}, False),
        (None, "/graphql", {"origin": "http://127.0.0.1:8000"}, False),
        ("GET", "/", {"host": "evil.example"}, False),
        ("POST", "/graphql", {**JSON, "host": "127.0.0.1.evil.example:3000"}, False),
    ],
)
def test_only_what_no_other_site_can_send_passes(
    method: str | None, path: str, headers: dict[str, str], passes: bool
) -> None:
    """An image's address would do for a mutation, and a name of one's own for reading all."""
    assert may_pass(method, path, {"host": HOST, **headers}) is passes


def test_the_webserver_itself_is_guarded(tmp_path: Path) -> None:
    """Against Dagster as pinned: the guard stands before its routes, which work as ever."""
    ours = resources.files("etter_dagster.orchestration").joinpath("dagster.yaml").read_text()
    (tmp_path / "dagster.yaml").write_text(ours)
    (tmp_path / "workspace.yaml").write_text("load_from: []\n")
    port = free_port()
    command = [
        *(sys.executable, "-m", "etter_dagster.orchestration.webserver"),
        *("--host", "127.0.0.1", "--port", str(port), "-w", str(tmp_path / "workspace.yaml")),
    ]
    mutation = "mutation { setNuxSeen }"
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            command, env={**os.environ, "DAGSTER_HOME": str(tmp_path)}, stdout=log, stderr=log
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            eventually(lambda: is_up(http) or server.poll() is not None, "it answers", 180)
            asked = http.get("/graphql", params={"query": mutation})
            assert asked.status_code == 403, (tmp_path / "log").read_text()
            assert http.post("/graphql", params={"query": mutation}).status_code == 403
            assert http.get("/server_info", headers={"Host": "evil.example"}).status_code == 403
            taken = http.post("/graphql", json={"query": mutation})
            assert taken.json() == {"data": {"setNuxSeen": True}}
    finally:
        server.terminate()
        server.wait(60)


def is_up(http: httpx.Client) -> bool:
    try:
        return http.get("/server_info").is_success
    except httpx.HTTPError:
        return False
