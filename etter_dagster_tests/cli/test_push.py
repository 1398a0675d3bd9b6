"""`etter push COMPANY ROLE`: one role."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.model.identity import is_workflow_id
from etter_dagster_tests.cli.conftest import Etter, Served
from etter_dagster_tests.standin.server import serving


def test_a_pushed_role_is_queued_under_the_printed_workflow_id(
    etter: Etter, service: Served, jd: Path
) -> None:
    """Only the id is on standard output, so that a script can keep it."""
    ran = etter("push", "Acme", "Analyst", "--document", jd, "--draup-role", "Data Analyst")
    assert ran.code == 0, ran.stderr
    assert is_workflow_id(ran.stdout.strip())
    assert "etter status" in ran.stderr
    assert etter("status", ran.stdout.strip(), "--json").json["status"] == "queued"


def test_json_is_the_answer_of_rest(etter: Etter, service: Served, jd: Path) -> None:
    ran = etter("push", "Acme", "Analyst", "--document", jd, "--draup-role", "D", "--json")
    assert ran.code == 0
    assert {"workflow_id", "role_id", "status", "position_in_queue", "message"} <= ran.json.keys()


def test_wait_ends_with_the_score_and_0(etter: Etter, service: Served, jd: Path) -> None:
    with service.working():
        ran = etter("push", "Acme", "Analyst", "--document", jd, "--draup-role", "D", "--wait")
    assert ran.code == 0, ran.stderr
    assert "status: ready\n" in ran.stdout
    assert "score: 40.0\n" in ran.stdout
    assert "/dashboard/Acme/roles/cr-acme-analyst-" in ran.stdout


def test_wait_ends_with_1_and_the_reason_if_the_role_fails(
    etter: Etter, service: Served, jd: Path
) -> None:
    service.assessor.script.append(AssessmentFailed("it names no tasks"))
    with service.working():
        ran = etter("push", "Acme", "Analyst", "--document", jd, "--draup-role", "D", "--wait")
    assert ran.code == 1
    assert "status: failed\n" in ran.stdout
    assert "it names no tasks" in ran.stdout


def test_a_ready_role_is_not_assessed_again_unless_forced(
    etter: Etter, service: Served, jd: Path
) -> None:
    first = etter("push", "Acme", "Analyst", "--document", jd, "--draup-role", "D")
    service.work()
    again = etter("push", "Acme", "Analyst")
    assert (again.code, again.stdout) == (0, first.stdout)
    waited = etter("push", "Acme", "Analyst", "--wait")
    assert "nothing was queued" in waited.stderr
    assert "score: 40.0" in waited.stdout
    assert etter("push", "Acme", "Analyst", "--force").stdout != first.stdout


def test_documents_of_other_kinds_are_named_with_their_kind(
    etter: Etter, service: Served, jd: Path, tmp_path: Path
) -> None:
    (tmp_path / "steps=all.md").write_text("# How claims are handled\n\n- Open the claim\n")
    ran = etter(
        *("push", "Acme", "Analyst", "--draup-role", "D", "--document", jd),
        *("--document", f"sop={tmp_path / 'steps=all.md'}"),
    )
    assert ran.code == 0, ran.stderr
    service.work()
    kinds = [document.type.value for document in service.assessor.requests[0].documents]
    assert sorted(kinds) == ["job_description", "sop"]


def test_what_the_checks_lack_is_said_at_once_with_2(etter: Etter, service: Served) -> None:
    ran = etter("push", "Acme", "Analyst")
    assert ran.code == 2
    assert "VALIDATION_ERROR" in ran.stderr
    assert "--document FILE: give" in ran.stderr
    assert "--draup-role NAME: give" in ran.stderr
    assert ran.stdout == ""


def test_errors_with_json_are_the_body_of_rest_on_standard_error(
    etter: Etter, service: Served
) -> None:
    ran = etter("push", "Acme", "Analyst", "--json")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.error["error"] == "VALIDATION_ERROR"
    assert {field["field"] for field in ran.error["fields"]} == {"documents", "draup_role_name"}


def test_a_role_that_is_being_worked_on_gives_1_and_its_workflow_id(
    etter: Etter, service: Served, jd: Path
) -> None:
    pushing = ("push", "Acme", "Analyst", "--document", jd, "--draup-role", "D")
    first, again = etter(*pushing), etter(*pushing)
    assert again.code == 1
    assert "ALREADY_PROCESSING" in again.stderr
    assert first.stdout.strip() in again.stderr


def test_without_a_service_it_is_3_and_says_how_to_start_one(etter: Etter, jd: Path) -> None:
    ran = etter("push", "Acme", "Analyst", "--document", jd, "--draup-role", "D")
    assert ran.code == 3
    assert "etter up" in ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("push",),
        ("push", "Acme"),
        ("push", "Acme", "Analyst", "--dry-run"),
        ("push", "Acme", "Analyst", "--company", "Acme"),
        ("push", "Acme", "Analyst", "--file", "roles.csv"),
        ("push", "--file", "roles.csv", "--document", "jd.md"),
        ("push", "Acme", "Analyst", "--no-such-option"),
    ],
)
def test_mixed_up_options_are_2_and_nothing_is_pushed(
    etter: Etter, arguments: tuple[str, ...]
) -> None:
    """An option that would be overlooked is worse than one that is refused."""
    assert etter(*arguments).code == 2


def test_files_that_are_no_document_are_refused_with_2_and_their_name(
    etter: Etter, tmp_path: Path
) -> None:
    (tmp_path / "binary.md").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (tmp_path / "large.md").write_text("- Prepare reports\n" * 600_000)
    (tmp_path / "empty.md").write_text(" \n")
    for name in ("binary.md", "image.png", "large.md", "empty.md", "missing.md", "a\0b.md", "."):
        ran = etter("push", "Acme", "Analyst", "--draup-role", "D", "--document", name)
        assert ran.code == 2, name
        assert "--document" in ran.stderr, name
        assert "\0" not in ran.stderr


def test_a_kind_of_file_or_document_that_is_none_is_refused_with_those_there_are(
    etter: Etter, tmp_path: Path
) -> None:
    (tmp_path / "role.xlsx").write_bytes(b"PK\x03\x04" + bytes(100))
    ran = etter("push", "Acme", "Analyst", "--document", "role.xlsx")
    assert ran.code == 2
    assert "role.xlsx is not supported; give PDF, DOCX, HTML, Markdown or text" in ran.stderr
    ran = etter("push", "Acme", "Analyst", "--document", "foo=role.md")
    assert ran.code == 2
    assert "'foo' is no kind of document" in ran.stderr
    assert "sop" in ran.stderr


@pytest.mark.parametrize("name", ["a\0b", "\x1b[31mred", "", "x" * 201])
def test_names_that_are_none_are_refused_with_2(
    etter: Etter, service: Served, jd: Path, name: str
) -> None:
    """What reaches the terminal in the message holds no control sequence."""
    ran = etter("push", "Acme", name, "--document", jd, "--draup-role", "D")
    assert ran.code == 2, ran.stderr
    assert "ROLE: " in ran.stderr
    assert not {"\0", "\x1b"} & set(ran.stderr)


def test_arguments_that_are_no_text_are_refused_with_2(etter: Etter, service: Served) -> None:
    """The shell passes on any bytes; in Python they are lone surrogates."""
    for arguments in (("push", "Acme", "\udcff"), ("roles", "\udcff"), ("status", "\udcff")):
        ran = etter(*arguments)
        assert ran.code == 2, arguments
        assert "UTF-8" in ran.stderr


def test_a_url_that_is_none_is_2_and_its_secret_is_not_shown(etter: Etter) -> None:
    for url in ("localhost", "ftp://x", "http://", "http://user:secret@host", "http://[", "x" * 9):
        ran = etter("companies", "--url", url)
        assert ran.code == 2, url
        assert "--url" in ran.stderr
        assert "secret" not in ran.stderr


@pytest.mark.parametrize("body", ["<h1>hello</h1>", "[]", '{"companies": 7}', "null"])
@pytest.mark.parametrize("status", [200, 404, 500])
def test_something_else_that_answers_is_3_and_said_to_be_no_etter(
    etter: Etter, body: str, status: int
) -> None:
    """8090 is a port that others like, too."""
    other = Starlette(routes=[Route("/{path:path}", lambda _: Response(body, status))])
    with serving(other) as url:
        ran = etter("companies", "--url", url)
    assert ran.code == 3
    assert "is not Etter" in ran.stderr


def test_the_url_may_hold_the_path_of_the_api(etter: Etter, service: Served) -> None:
    assert etter("companies", "--url", f"{service.url}/api/v1/pipeline/").code == 0
