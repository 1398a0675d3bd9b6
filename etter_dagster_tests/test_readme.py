"""The README is the first thing that people try: what it says must be so."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from etter_dagster.cli.app import app
from etter_dagster.settings import Settings
from etter_dagster_tests.rest import rest_of

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
ETTER_LINES = sorted(
    {
        line.split("#")[0].strip().removeprefix(".venv/bin/")
        for kind, block in BLOCKS
        if kind == "sh"
        for line in block.splitlines()
        if re.match(r"(\.venv/bin/)?etter ", line)
    }
)


def test_the_two_commands_stand_first() -> None:
    kind, block = BLOCKS[0]
    assert kind == "sh"
    assert [line.split("#")[0].strip() for line in block.splitlines()] == ["make demo", "make test"]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)", README))))
def test_make_has_the_targets(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("line", ETTER_LINES)
def test_the_command_lines_are_understood(line: str) -> None:
    """Each command exists and takes the arguments and options that are shown."""
    group: Any = typer.main.get_command(app)
    _, name, *arguments = shlex.split(line)
    command = group.commands[name]
    command.make_context(name, arguments, resilient_parsing=False)


def test_files_of_the_command_lines_exist() -> None:
    paths = set(re.findall(r"@?(examples/[\w./-]+)", README))
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("code", [block for kind, block in BLOCKS if kind == "python"])
def test_the_python_works_as_shown(code: str, tmp_path: Path) -> None:
    """In a process of its own, as somebody who copies it runs it."""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"ETTER_DATA_DIR": str(tmp_path), "PATH": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    score, url = ran.stdout.split()
    assert 0 <= float(score) <= 100
    assert url.startswith("http://127.0.0.1:8090/dashboard/Acme%20Corporation/roles/cr-acme")


async def test_the_push_by_curl_is_taken(settings: Settings) -> None:
    (body,) = re.findall(r"-d '(\{.*?\})'", README, re.DOTALL)
    async with rest_of(settings) as rest:
        answer = await rest.http.post("/push", json=json.loads(body))
        assert answer.status_code == 200, answer.text
