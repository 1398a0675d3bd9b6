"""`docs/graphql.md`: each request on it does what the page says, against a real Dagster."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, print_ast

from etter_dagster.client import graphql_operations
from etter_dagster.model.identity import derived_workflow_id, role_id
from etter_dagster_tests.graphql.stack import Stack
from etter_dagster_tests.keys import secret_of

PAGE = (Path(__file__).parents[2] / "docs" / "graphql.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(graphql|json variables|json answer|sh)\n(.*?)^```$", re.M | re.S)


@dataclass
class Example:
    """A section of the page with a request."""

    title: str
    query: str
    variables: dict[str, Any]
    answer: dict[str, Any]


def examples() -> Iterator[Example]:
    for section in PAGE.split("\n## ")[1:]:
        blocks = dict(_BLOCK.findall(section))
        if "graphql" in blocks:
            variables, answer = blocks["json variables"], blocks["json answer"]
            title = section.splitlines()[0]
            yield Example(title, blocks["graphql"], json.loads(variables), json.loads(answer))


def plain(query: str) -> str:
    return print_ast(parse(query))


def test_the_page_shows_each_operation_of_the_client() -> None:
    """And no other: what Python sends is what a developer of another language reads."""
    shown = {plain(example.query) for example in examples()}
    sent = {plain(v) for n, v in vars(graphql_operations).items() if n.isupper()}
    assert sent == shown


def test_the_ids_on_the_page_are_those_that_follow() -> None:
    """A developer of another language tests their own code with them."""
    for index in ("0", "1"):
        assert derived_workflow_id("platform", "deploy-7", index) in PAGE
    assert role_id("Acme", "Data Analyst") in PAGE
    assert role_id("Acme", "Tester") in PAGE


def same_shape(shown: Any, got: Any, where: str = "answer") -> None:
    """What the page shows is there, of that type; names and ids that do not change are equal."""
    if isinstance(shown, dict):
        assert isinstance(got, dict), where
        assert set(shown) == set(got), where
        for key, value in shown.items():
            same_shape(value, got[key], f"{where}.{key}")
    elif isinstance(shown, list):
        assert isinstance(got, list), where
        assert len(got) >= len(shown), where
        for one, other in zip(shown, got, strict=False):
            same_shape(one, other, where)
    elif isinstance(shown, str) and not re.fullmatch(r"\.\.\.|\d+", shown):
        if not re.search(r"\.(key|value|path)$", where):
            assert shown == got, where
    else:
        assert type(shown) is type(got) or None in (shown, got), where


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_each_request_of_the_page_does_what_it_says(shared: Stack) -> None:
    """In the order of the page; ids of runs and backfills are those of the answer before."""
    for name in ("Data Analyst", "Tester"):
        shared.define(name)
    known: dict[str, str] = {}
    done = []
    with shared.client("platform") as client:
        for example in examples():
            text = json.dumps(example.variables)
            for placeholder, value in known.items():
                text = text.replace(placeholder, value)
            response = shared.ask("platform", example.query, **json.loads(text))
            assert response.status_code == 200, (example.title, response.text)
            got = response.json()
            for placeholder, found in _ids(example.answer, got):
                known[placeholder] = found
            shown = json.dumps(example.answer)
            for placeholder, value in known.items():
                shown = shown.replace(placeholder, value)
            same_shape(json.loads(shown), got, example.title)
            if "launchRun" in example.query:
                client.wait_runs([known["RUN_ID"]])
                shared.work_off()
            done.append(example.title)
    assert len(done) == 9


def _ids(shown: Any, got: Any) -> Iterator[tuple[str, str]]:
    if isinstance(shown, dict) and isinstance(got, dict):
        for key in shown:
            yield from _ids(shown[key], got.get(key))
    elif isinstance(shown, list) and isinstance(got, list):
        for one, other in zip(shown, got, strict=False):
            yield from _ids(one, other)
    elif isinstance(shown, str) and shown.endswith("_ID") and isinstance(got, str):
        yield shown, got


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_curl_command_of_the_page_works(shared: Stack) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed; see https://curl.se/download.html")
    (command,) = [text for kind, text in _BLOCK.findall(PAGE) if kind == "sh"]
    usual = "http://127.0.0.1:8090"
    assert usual in command
    ran = subprocess.run(
        ["sh", "-c", command.replace(usual, shared.url)],
        env={**os.environ, "ETTER_API_KEY": secret_of("platform")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == {"data": {"runsOrError": {"__typename": "Runs"}}}
