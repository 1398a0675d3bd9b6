"""`etter demo`: the first minute of everybody who tries Etter."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest
from rich.console import Console

from etter_dagster.cli.demo import embedded
from etter_dagster.cli.demo_roles import DemoRole, choose, push
from etter_dagster.cli.demo_table import line, partition_url, progress_table, score_table
from etter_dagster.client import EtterClient
from etter_dagster.model.errors import ValidationFailed
from etter_dagster.model.lifecycle import WorkflowState
from etter_dagster_tests.cli.processes import WAIT_SECONDS, eventually, left, own_ports, started

ETTER = str(Path(sys.executable).with_name("etter"))
SCORES = re.compile(r"^ +(?P<role>\S.*?) {2,}ready +(?P<score>\d+\.\d) +\d+\.\d +\d+\.\d +\d+ *$")


def environment(**more: str) -> dict[str, str]:
    return {**{k: v for k, v in os.environ.items() if k != "DEMO_ONCE"}, **own_ports(), **more}


def shown(renderable: object) -> str:
    """As on a terminal of 80 columns."""
    console = Console(file=io.StringIO(), width=80)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_all_eight_samples_are_shown_unless_narrowed() -> None:
    assert len(choose(None, None)) == 8


def test_company_and_role_narrow_it_in_any_case() -> None:
    chosen = choose(" liberty MUTUAL ", "claims adjuster")
    assert [(r.company, r.role) for r in chosen] == [("Liberty Mutual", "Claims Adjuster")]
    assert {r.company for r in choose("walmart inc.", None)} == {"Walmart Inc."}


def test_a_name_that_is_no_sample_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValidationFailed, match=r"--company.*'Acme Corporation'.*'Walmart Inc\.'"):
        choose("Nobody", None)
    with pytest.raises(ValidationFailed, match="--role: 'Pilot' is no sample; one of 'Product"):
        choose("acme corporation", "Pilot")


def test_a_real_installation_is_never_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who tries the demo on a machine that is set up must not push samples into their Neo4j."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("ETTER_NEO4J_URI=bolt://db:7687\nETTER_PORT=8123\n")
    monkeypatch.setattr(os, "environ", dict(os.environ))
    os.environ |= {
        "ETTER_REDIS_HOST": "redis",
        "ETTER_ASSESSOR": "workflow_api",
        "ETTER_WORKFLOW_API_BASE_URL": "http://assess:1",
        "DAGSTER_HOME": str(tmp_path / "theirs"),
    }
    settings = embedded(tmp_path / ".demo", real=False)
    assert settings.embedded_graph
    assert settings.embedded_queue
    assert settings.assessor == "exposure"
    assert settings.port == 8123
    assert settings.dagster_home == tmp_path / ".demo" / "dagster"
    assert not (tmp_path / "theirs").exists()


def test_the_real_assessment_is_the_one_that_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    os.environ |= {
        "ETTER_ASSESSOR": "workflow_api",
        "ETTER_WORKFLOW_API_BASE_URL": "http://assess:1",
    }
    assert embedded(tmp_path / ".demo", real=True).assessor == "workflow_api"


def test_a_push_that_is_refused_fails_its_role_with_the_reason() -> None:
    """The others go on; the table and the exit code show the one."""
    refusal = {"detail": {"error": "QUEUE_FULL", "message": "full", "recoverable": True}}
    transport = httpx.MockTransport(lambda _: httpx.Response(429, json=refusal))
    with EtterClient("http://etter", transport=transport) as client:
        role = push(client, DemoRole("Acme", "Pilot"), real=False, force=False)
    assert role.state is WorkflowState.FAILED
    assert line(role) == "Acme / Pilot: failed (full)"


def test_the_tables_fit_a_terminal_of_80_columns_without_cut_names() -> None:
    roles = [replace(role, state=WorkflowState.PROCESSING) for role in choose(None, None)]
    for table in (progress_table(roles), score_table(roles, "http://127.0.0.1:3000")):
        text = shown(table)
        assert all(role.role in text for role in roles)


def test_a_role_is_linked_to_its_partition() -> None:
    role = DemoRole("Acme", "Pilot", role_id="cr-acme-pilot-0123456789ab")
    assert (
        partition_url("http://d:1", role)
        == "http://d:1/assets/ai_assessment?partition=cr-acme-pilot-0123456789ab"
    )


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_it_ends_with_the_table_of_all_eight_and_leaves_no_process(tmp_path: Path) -> None:
    """The whole main job: push, sensor, Dagster run, assessment, REST."""
    log = tmp_path / "out"
    with started([ETTER, "demo"], env=environment(DEMO_ONCE="1"), log=log, cwd=tmp_path) as demo:
        family: set[psutil.Process] = set()

        def has_ended() -> bool:
            if demo.poll() is None:
                family.update(psutil.Process(demo.pid).children(recursive=True))
            return demo.poll() is not None

        eventually(has_ended, "it ends", seconds=150)
    text = log.read_text()
    assert demo.returncode == 0, text
    scores = {m["role"]: float(m["score"]) for m in map(SCORES.match, text.split("\n")) if m}
    assert scores.keys() == {role.role for role in choose(None, None)}, text
    assert all(0 < score < 100 for score in scores.values())
    assert "8 of 8 roles ready" in text
    assert len(family) >= 4
    assert not left(family)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_ended_before_the_roles_are_ready_it_fails(tmp_path: Path) -> None:
    """CI that is told to stop must not report a demonstration that did not happen."""
    log = tmp_path / "out"
    with started([ETTER, "demo", "--once"], env=environment(), log=log, cwd=tmp_path) as demo:
        eventually(lambda: (tmp_path / ".demo" / "up.json").exists(), "its processes start")
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(WAIT_SECONDS) == 1
