"""`etter assess`: no service, and not one that could be asked."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from etter_dagster_tests.cli.conftest import ETTER, Etter
from etter_dagster_tests.support import JD

SCORES = {
    "ai_automation_score",
    "ai_automation_potential_score",
    "ai_augmentation_potential_score",
    "validated_ai_automation_score",
    "final_score",
}


def assess_lines(*lines: bytes) -> tuple[int, list[dict[str, Any]]]:
    ran = subprocess.run(
        [*ETTER, "assess", "--jsonl"],
        input=b"\n".join(lines),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert ran.stderr == b""
    return ran.returncode, [json.loads(line) for line in ran.stdout.splitlines()]


def line(id: object, text: object = JD) -> bytes:
    return json.dumps({"id": id, "text": text}).encode()


def test_lines_are_answered_in_the_order_read() -> None:
    code, answers = assess_lines(*(line(f"role {n}") for n in range(20)), line(7), b"", b"  ")
    assert code == 0
    assert [answer["id"] for answer in answers] == [*(f"role {n}" for n in range(20)), 7]
    assert all(answer.keys() == {"id", "scores", "tasks"} for answer in answers)
    assert answers[0]["scores"].keys() == SCORES
    assert 0 < answers[0]["scores"]["final_score"] <= 100
    assert any("weekly reports" in task["task"] for task in answers[0]["tasks"])


def test_a_bad_line_gives_its_id_and_an_error_and_the_others_go_on() -> None:
    bad = [
        b"not json",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"[]",
        b"{}",
        line(None),
        line([1]),
        line(True),
        line(1.5),
        line("no text", None),
        line("blank", " \n"),
        line("nul", "Prepare\0reports"),
        line("surrogate", "Prepare \ud800 reports"),
        line("no tasks", "Hello."),
        line("long", "- Prepare reports\n" * 200_000),
        b'{"id": "endless", "text": "' + b"x" * 13_000_000 + b'"}',
    ]
    code, answers = assess_lines(line("first"), *bad, line("last"))
    assert code == 1
    assert [answers[0]["id"], answers[-1]["id"]] == ["first", "last"]
    assert len(answers) == len(bad) + 2
    for answer in answers[1:-1]:
        assert answer.keys() == {"id", "error"}
        assert answer["error"]
    assert [answer["id"] for answer in answers if answer["id"]] == [
        *("first", "no text", "blank", "nul", "surrogate", "no tasks", "long", "last")
    ]


def test_each_answer_is_written_before_the_next_line_is_read() -> None:
    """A program may keep the process and ask it again and again."""
    with subprocess.Popen(
        [*ETTER, "assess", "--jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(3):
            process.stdin.write(line(number) + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_reader_that_goes_away_ends_it_without_a_trace() -> None:
    with subprocess.Popen(
        [*ETTER, "assess", "--jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(line("unread") + b"\n")
        process.stdin.close()
        assert process.wait(60) == 1
        assert b"Traceback" not in process.stderr.read()


def test_a_file_is_assessed_with_a_table_of_its_tasks(etter: Etter, jd: Path) -> None:
    ran = etter("assess", jd)
    assert ran.code == 0
    assert "AI alone: " in ran.stdout
    assert any("weekly reports" in row["task"] for row in ran.table)


def test_the_same_text_has_the_same_scores_in_every_form(etter: Etter, jd: Path) -> None:
    entries = etter("assess", jd, "--json").json
    _, (from_line,) = assess_lines(line(str(jd)))
    assert entries == [from_line]


def test_one_bad_file_never_hides_the_others(etter: Etter, jd: Path, tmp_path: Path) -> None:
    (tmp_path / "binary.md").write_bytes(bytes(range(256)))
    ran = etter("assess", "binary.md", jd, "missing.md")
    assert ran.code == 1
    assert "AI alone: " in ran.stdout
    assert "binary.md" in ran.stderr
    assert "missing.md" in ran.stderr
    entries = etter("assess", "binary.md", jd, "missing.md", "--json").json
    assert ["error" in entry for entry in entries] == [True, False, True]


@pytest.mark.parametrize("arguments", [(), ("--jsonl", "file.md"), ("missing.md",), ("a\0b",)])
def test_wrong_usage_is_2(etter: Etter, arguments: tuple[str, ...]) -> None:
    assert etter("assess", *arguments).code == 2


def test_a_text_without_tasks_is_2_and_says_what_is_needed(etter: Etter, tmp_path: Path) -> None:
    (tmp_path / "hello.md").write_text("Hello.")
    ran = etter("assess", "hello.md")
    assert ran.code == 2
    assert "no tasks found" in ran.stderr
