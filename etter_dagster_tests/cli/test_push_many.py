"""`etter push --file`: a verdict for each row."""

from __future__ import annotations

from pathlib import Path

import pytest

from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.cli import rows as rows_module
from etter_dagster_tests.cli.conftest import Etter, Served
from etter_dagster_tests.support import JD

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HEADER = "company,role,draup_role,jd\n"


def test_a_dry_run_of_the_example_csv_finds_727_good_rows(etter: Etter) -> None:
    """Without a service: nothing is sent."""
    ran = etter("push", "--file", EXAMPLES / "occupations.csv", "--dry-run", "--json")
    assert ran.code == 0, ran.stderr
    assert ran.json["counts"] == {"ok": 727}
    assert ran.json["batch_ids"] == []


def test_a_dry_run_of_the_example_folder_names_roles_by_their_headings(etter: Etter) -> None:
    folder = EXAMPLES / "occupation-pages"
    ran = etter("push", "--file", folder, "--company", "Occupation Pages", "--dry-run")
    assert ran.code == 0, ran.stderr
    assert len(ran.table) == 184
    assert "Registered nurses" in {row["role"] for row in ran.table}
    assert "184 rows: 184 ok" in ran.stderr


def test_every_row_gets_its_push_and_its_verdict(etter: Etter, service: Served, csv: Path) -> None:
    ran = etter("push", "--file", csv)
    assert ran.code == 0, ran.stderr
    assert [(row["row"], row["role"], row["verdict"]) for row in ran.table] == [
        ("2", "Analyst", "queued"),
        ("3", "Clerk", "queued"),
    ]
    for row in ran.table:
        status = etter("status", row["workflow id"], "--json").json
        assert status["role_name"] == row["role"]


def test_names_that_are_known_ones_but_for_case_are_pointed_out(
    etter: Etter, service: Served, csv: Path
) -> None:
    """Beside the table: the rows are good."""
    assert "note that" not in etter("push", "--file", csv).stderr
    csv.write_text(csv.read_text().replace("Analyst", "ANALYST"))
    ran = etter("push", "--file", csv)
    assert "note that 'ANALYST' and 'Analyst' are two roles" in ran.stderr


def test_waiting_ends_with_0_when_every_row_is_ready(
    etter: Etter, service: Served, csv: Path
) -> None:
    with service.working():
        ran = etter("push", "--file", csv, "--wait", "--json")
    assert ran.code == 0, ran.stderr
    assert ran.json["counts"] == {"ready": 2}
    assert all("/dashboard/Acme/roles/" in row["dashboard_url"] for row in ran.json["rows"])


def test_one_failed_role_makes_it_1_and_its_row_says_why(
    etter: Etter, service: Served, csv: Path
) -> None:
    service.assessor.script.append(AssessmentFailed("it names no tasks"))
    with service.working():
        ran = etter("push", "--file", csv, "--wait")
    assert ran.code == 1
    verdicts = {row["verdict"]: row["why"] for row in ran.table}
    assert verdicts.keys() == {"ready", "failed"}
    assert "it names no tasks" in verdicts["failed"]


def test_broken_rows_have_their_verdict_and_never_block_the_good_ones(
    etter: Etter, service: Served, tmp_path: Path
) -> None:
    """What only the service can refuse stands beside what the file itself shows."""
    path = tmp_path / "roles.csv"
    path.write_text(
        HEADER
        + f'Acme,Analyst,Data Analyst,"{JD}"\n'
        + "Acme,Short\n"
        + f'Acme,a\0b,Data Analyst,"{JD}"\n'
        + f'Acme,\x1b[31mred,Data Analyst,"{JD}"\n'
        + "Acme,Nothing Known,,\n"
        + f',Nobody,Data Analyst,"{JD}"\n'
        + f'Acme,Analyst,Data Analyst,"{JD}"\n'
    )
    ran = etter("push", "--file", path)
    assert ran.code == 1
    verdicts = {row["row"]: row for row in ran.table}
    assert {number: row["verdict"] for number, row in verdicts.items()} == {
        "2": "queued",
        **dict.fromkeys("345678", "refused"),
    }
    assert "draup_role: give" in verdicts["6"]["why"]
    assert "row 2" in verdicts["8"]["why"]
    assert not {"\0", "\x1b"} & set(ran.stdout + ran.stderr)


def test_a_dry_run_of_broken_rows_is_1_and_says_what_the_service_must_know(
    etter: Etter, tmp_path: Path
) -> None:
    path = tmp_path / "roles.csv"
    path.write_text(HEADER + "Acme,Clerk,,\nAcme,Short\n")
    ran = etter("push", "--file", path, "--dry-run")
    assert ran.code == 1
    assert [row["verdict"] for row in ran.table] == ["ok", "refused"]
    assert "if the service knows" in ran.table[0]["why"]


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_file_without_one_good_row_is_2(
    etter: Etter, tmp_path: Path, options: tuple[str, ...]
) -> None:
    path = tmp_path / "roles.csv"
    path.write_text(HEADER + "Acme,Short\n")
    ran = etter("push", "--file", path, *options)
    assert ran.code == 2
    assert ran.table[0]["verdict"] == "refused"
    path.write_text(HEADER)
    assert etter("push", "--file", path, *options).code == 2


def test_an_empty_folder_is_2_and_says_which_files_count(etter: Etter, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    ran = etter("push", "--file", tmp_path / "none", "--company", "Acme")
    assert ran.code == 2
    assert "PDF, DOCX, HTML, Markdown or text" in ran.stderr


def test_rows_that_the_service_all_refuses_are_2_with_each_reason(
    etter: Etter, service: Served, tmp_path: Path
) -> None:
    path = tmp_path / "roles.csv"
    path.write_text(HEADER + "Acme,Clerk,,\nAcme,Analyst,,\n")
    ran = etter("push", "--file", path)
    assert ran.code == 2
    assert [row["verdict"] for row in ran.table] == ["refused", "refused"]
    assert all("jd: give" in row["why"] for row in ran.table)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"role,company\nAnalyst,Acme\n",
        bytes(range(256)) * 50,
        b"PK\x03\x04" + bytes(100),
        b"x" * (10 * 1024 * 1024),
    ],
    ids=["empty", "another header", "binary", "spreadsheet", "10 MiB of one word"],
)
def test_files_that_are_no_such_csv_are_2_and_nothing_is_sent(
    etter: Etter, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "roles.csv"
    path.write_bytes(content)
    ran = etter("push", "--file", path)
    assert ran.code == 2
    assert "csv" in ran.stderr
    assert len(ran.stderr) < 1000


def test_folders_in_a_folder_are_named_as_not_read(etter: Etter, tmp_path: Path) -> None:
    """Somebody with one folder a department would otherwise miss their roles unknowingly."""
    (tmp_path / "Baker.md").write_text("- Bakes bread and cakes")
    (tmp_path / "Sales").mkdir()
    ran = etter("push", "--file", tmp_path, "--company", "Acme", "--dry-run")
    assert ran.code == 0
    assert "not read, as they are folders: Sales" in ran.stderr


def test_a_missing_file_and_a_folder_without_company_are_2(etter: Etter, tmp_path: Path) -> None:
    missing = etter("push", "--file", tmp_path / "no.csv")
    assert missing.code == 2
    assert "no.csv" in missing.stderr
    folder = etter("push", "--file", tmp_path)
    assert folder.code == 2
    assert "--company" in folder.stderr
    assert etter("push", "--file", "a\0b").code == 2


def test_a_binary_file_in_a_folder_is_refused_by_itself(
    etter: Etter, service: Served, tmp_path: Path
) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "analyst.md").write_text(JD)
    (folder / "broken.md").write_bytes(bytes(range(256)))
    ran = etter("push", "--file", folder, "--company", "Acme", "--draup-role", "Data Analyst")
    assert ran.code == 1
    assert {row["row"]: row["verdict"] for row in ran.table} == {
        "analyst.md": "queued",
        "broken.md": "refused",
    }


def test_a_csv_of_other_companies_is_refused_where_one_is_named(etter: Etter, csv: Path) -> None:
    assert etter("push", "--file", csv, "--company", "Acme", "--dry-run").code == 0
    ran = etter("push", "--file", csv, "--company", "Other", "--dry-run")
    assert ran.code == 2
    assert "--company" in ran.table[0]["why"]


def test_many_roles_go_in_portions_below_the_limits_of_a_request(
    etter: Etter, service: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request holds at most 10,000 roles and 10 MiB."""
    path = tmp_path / "roles.csv"
    path.write_text(HEADER + "".join(f'Acme,Role {n},D,"{JD}"\n' for n in range(7)))
    monkeypatch.setattr(rows_module, "MAX_ROLES", 3)
    ran = etter("push", "--file", path, "--json")
    assert ran.code == 0, ran.stderr
    assert len(ran.json["batch_ids"]) == 3
    assert ran.json["counts"] == {"queued": 7}
    monkeypatch.setattr(rows_module, "MAX_BYTES", 2 * len(JD) + 300)
    assert len(etter("push", "--file", path, "--force", "--json").json["rows"]) == 7


def test_without_a_service_it_is_3_and_nothing_is_said_to_be_pushed(
    etter: Etter, csv: Path
) -> None:
    ran = etter("push", "--file", csv)
    assert (ran.code, ran.stdout) == (3, "")
    assert "etter up" in ran.stderr


def test_a_service_that_goes_away_leaves_a_verdict_for_each_row(
    etter: Etter, service: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was taken before stays taken, and the rows that were not sent can be sent later."""
    from etter_dagster.cli.calling import Service

    send, sent = Service.send_patiently, []

    def second_fails(self: Service, call: object) -> object:
        sent.append(call)
        if len(sent) == 2:
            return send(Service("http://127.0.0.1:9"), call)  # type: ignore[arg-type]
        return send(self, call)  # type: ignore[arg-type]

    path = tmp_path / "roles.csv"
    path.write_text(HEADER + "".join(f'Acme,Role {n},D,"{JD}"\n' for n in range(3)))
    monkeypatch.setattr(rows_module, "MAX_ROLES", 1)
    monkeypatch.setattr(Service, "send_patiently", second_fails)
    ran = etter("push", "--file", path)
    assert ran.code == 3
    assert [row["verdict"] for row in ran.table] == ["queued", "not sent", "not sent"]
    assert "etter up" in ran.table[1]["why"]
