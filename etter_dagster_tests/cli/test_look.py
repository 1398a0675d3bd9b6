"""`etter companies`, `roles`, `show`, `status`."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from etter_dagster.model.identity import role_id
from etter_dagster.onboarding.steps import Step, StepContext, StepResult
from etter_dagster_tests.cli.conftest import ETTER, Etter, Served

ANALYST = role_id("Acme", "Analyst")


@pytest.fixture
def ready(etter: Etter, service: Served, csv: Path) -> Served:
    """Analyst and Clerk of Acme, both assessed."""
    assert etter("push", "--file", csv).code == 0
    service.work()
    return service


def test_companies_and_roles_are_listed_with_their_scores(etter: Etter, ready: Served) -> None:
    assert etter("companies").stdout == "company\nAcme\n"
    rows = etter("roles", "Acme").table
    assert [(row["role"], row["state"], row["score"]) for row in rows] == [
        ("Analyst", "ready", "40.0"),
        ("Clerk", "ready", "40.0"),
    ]
    assert rows[0]["role id"] == ANALYST
    assert etter("companies", "--json").json["companies"] == ["Acme"]


@pytest.mark.parametrize("options", [(), ("--json",), ("--state", "ready")])
def test_a_company_that_is_not_known_is_2_and_not_an_empty_list(
    etter: Etter, ready: Served, options: tuple[str, ...]
) -> None:
    """A slip of the pen looked like a company without roles."""
    ran = etter("roles", "Nope Inc", *options)
    assert (ran.code, ran.stdout) == (2, "")
    assert "Nope Inc" in ran.stderr
    assert "etter companies" in ran.stderr
    none_failed = etter("roles", " Acme ", "--state", "failed")
    assert (none_failed.code, none_failed.table) == (0, [])


def test_nothing_is_exported_of_a_company_that_is_not_known(
    etter: Etter, ready: Served, tmp_path: Path
) -> None:
    ran = etter("export", "--company", "Nope", "--file", tmp_path / "out.jsonl")
    assert ran.code == 2
    assert "etter companies" in ran.stderr
    assert not list(tmp_path.glob("out.jsonl*"))
    assert etter("export", "--company", "Acme").code == 0


def test_a_limited_list_says_that_there_is_more_and_goes_on_there(
    etter: Etter, ready: Served
) -> None:
    ran = etter("roles", "Acme", "--limit", 1)
    assert [row["role"] for row in ran.table] == ["Analyst"]
    assert "1 of 2" in ran.stderr
    page = etter("roles", "Acme", "--limit", 1, "--json").json
    rest = etter("roles", "Acme", "--cursor", page["next_cursor"], "--json").json
    assert [row["job_title"] for row in rest["roles"]] == ["Clerk"]


def test_all_follows_the_pages_to_the_end(
    etter: Etter, ready: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etter_dagster.cli.look.PAGE", 1)
    page = etter("roles", "Acme", "--all", "--json").json
    assert [row["job_title"] for row in page["roles"]] == ["Analyst", "Clerk"]
    assert page["next_cursor"] is None


def test_roles_are_searched(etter: Etter, ready: Served) -> None:
    assert [row["role"] for row in etter("roles", "Acme", "--q", "CLER").table] == ["Clerk"]
    assert etter("roles", "Acme", "--q", "welder").table == []


def test_roles_are_filtered_by_state(etter: Etter, ready: Served) -> None:
    assert len(etter("roles", "Acme", "--state", "ready").table) == 2
    assert etter("roles", "Acme", "--state", "failed").table == []
    assert etter("roles", "Acme", "--state", "nonsense").code == 2


def test_an_unknown_company_of_any_spelling_is_2(etter: Etter, service: Served) -> None:
    ran = etter("roles", "Nobody & Sons/100%")
    assert ran.code == 2
    assert "etter companies" in ran.stderr


def test_show_prints_scores_tasks_and_why(etter: Etter, ready: Served) -> None:
    ran = etter("show", ANALYST)
    assert ran.code == 0
    assert "score: 40.0\n" in ran.stdout
    assert "AI alone: 20.0\n" in ran.stdout
    assert "why: scripted\n" in ran.stdout
    assert ran.table == [
        {"score": "40.0", "task": "Prepare reports", "category": "E1", "why": ""},
    ]
    assert etter("show", ANALYST, "--json").json["scores"]["final_score"] == 40.0


def test_a_role_is_shown_by_its_names_too(etter: Etter, ready: Served) -> None:
    """An id of a hundred characters is folded on a terminal, and hard to copy."""
    assert etter("show", "Acme", "Analyst").stdout == etter("show", ANALYST).stdout


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("roles", "acme"), "Acme"),
        (("show", "ACME", "Analyst"), "Acme"),
        (("show", "Acme", "analyst"), "Analyst"),
        (("show", "Acme", "Analist", "--history"), "Analyst"),
        (("compare", "Acme", "clerk"), "Clerk"),
        (("retry", "--company", "acme"), "Acme"),
        (("export", "--company", "acme"), "Acme"),
        (("push", "acme", "Analyst"), "Acme"),
        (("push", "Acme", "analyst"), "Analyst"),
        (("push", "Acme", "Clark"), "Clerk"),
    ],
)
def test_of_a_name_that_is_not_known_the_one_like_it_is_named(
    etter: Etter, ready: Served, arguments: tuple[str, ...], meant: str
) -> None:
    """Case counts in a name, which looks like a bug to whoever does not know."""
    ran = etter(*arguments)
    assert (ran.code, ran.stdout) == (2, "")
    assert f"did you mean '{meant}'?" in ran.stderr


def test_nothing_is_guessed_where_no_name_is_like_it(etter: Etter, ready: Served) -> None:
    for arguments in (("show", "Acme", "Welder"), ("push", "Acme", "Welder"), ("roles", "Bolt")):
        ran = etter(*arguments)
        assert ran.code == 2
        assert "did you mean" not in ran.stderr


def test_history_lists_every_assessment_newest_first(etter: Etter, ready: Served) -> None:
    assert etter("push", "Acme", "Analyst", "--force").code == 0
    ready.assessor.score = 55.0
    ready.work()
    assert [row["score"] for row in etter("show", ANALYST, "--history").table] == ["55.0", "40.0"]
    assert len(etter("show", ANALYST, "--history", "--json").json["assessments"]) == 2


@pytest.mark.parametrize("unknown", ["cr-x-x-000000000000", "../companies", "%2e%2e", "a\0b", ""])
def test_unknown_ids_are_2(etter: Etter, service: Served, unknown: str) -> None:
    for command in ("show", "status"):
        ran = etter(command, unknown)
        assert ran.code == 2, (command, ran)
        assert "\0" not in ran.stderr


def test_status_shows_the_steps_of_a_push(etter: Etter, ready: Served) -> None:
    found = etter("roles", "Acme", "--json").json["roles"][0]["workflow_id"]
    ran = etter("status", found)
    assert ran.code == 0
    assert "status: ready\n" in ran.stdout
    assert [row["step"] for row in ran.table] == ["role_setup", "ai_assessment", "skills"]


def test_watching_ends_with_the_push(etter: Etter, service: Served, jd: Path) -> None:
    pushed = etter("push", "Acme", "Analyst", "--document", jd, "--draup-role", "D").stdout.strip()
    assert etter("status", pushed).code == 0
    with service.working():
        ran = etter("status", pushed, "--watch", "--json")
    assert (ran.code, ran.json["status"]) == (0, "ready")


class Broken(Step):
    """An optional step that always fails."""

    name = "extra"
    sub_state = "extra"
    assets = ()
    attempts = 1

    async def run(self, context: StepContext) -> StepResult:
        raise ValueError("x")


def test_a_degraded_role_is_not_ready_so_waiting_for_it_ends_with_1(
    etter: Etter, service: Served, csv: Path
) -> None:
    """Its assessment is there, but something failed."""
    batch = etter("push", "--file", csv, "--json").json["batch_ids"][0]
    service.work(Broken())
    ran = etter("status", batch, "--watch", "--json")
    assert (ran.code, ran.json["state"]) == (1, "completed")
    ran = etter("status", ran.json["roles"][0]["workflow_id"], "--watch", "--json")
    assert (ran.code, ran.json["status"]) == (1, "degraded")


def test_ctrl_c_ends_the_waiting_only_and_says_how_to_come_back(
    etter: Etter, service: Served, jd: Path
) -> None:
    """In a process of its own: a signal is for a whole process."""
    pushed = etter("push", "Acme", "Analyst", "--document", jd, "--draup-role", "D").stdout.strip()
    with subprocess.Popen(
        [*ETTER, "status", pushed, "--watch", "--url", service.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        while not service.watched():
            assert watching.poll() is None
            time.sleep(0.05)
        watching.send_signal(signal.SIGINT)
        out, err = watching.communicate(timeout=60)
    assert (watching.returncode, out) == (130, "")
    assert f"etter status {pushed} --watch" in err
    assert "Traceback" not in err
    assert etter("status", pushed, "--json").json["status"] == "queued"


def test_a_batch_is_looked_at_and_watched_by_its_id(
    etter: Etter, service: Served, csv: Path
) -> None:
    batch = etter("push", "--file", csv, "--json").json["batch_ids"][0]
    ran = etter("status", batch)
    assert (ran.code, [row["status"] for row in ran.table]) == (0, ["queued", "queued"])
    with service.working():
        ran = etter("status", batch, "--watch", "--json")
    assert (ran.code, ran.json["state"]) == (0, "completed")


@pytest.mark.parametrize(
    "arguments",
    [
        ("companies",),
        ("roles", "Acme"),
        ("show", ANALYST),
        ("status", "role-onboard-000000000000"),
        ("status", "role-onboard-000000000000", "--watch"),
        ("status", "batch-000000000000"),
        ("retry", "role-onboard-000000000000"),
        ("cancel", "--company", "Acme"),
    ],
)
def test_without_a_service_every_command_is_3(etter: Etter, arguments: tuple[str, ...]) -> None:
    ran = etter(*arguments, "--json")
    assert (ran.code, ran.stdout) == (3, "")
    assert ran.error["error"] == "STORE_UNAVAILABLE"
    assert "etter up" in ran.error["message"]
