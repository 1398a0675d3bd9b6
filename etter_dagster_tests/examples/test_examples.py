"""The files in `examples/` are what their README says, and read without a problem."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from etter_dagster.sources.bulk_files import read_bulk

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_the_csv_holds_727_occupations_of_one_company() -> None:
    rows = read_bulk(EXAMPLES / "occupations.csv")
    assert [row.problem for row in rows if row.problem] == []
    assert {row.company for row in rows} == {"Occupations of America"}
    assert len(rows) == len({row.role_name for row in rows}) == 727
    assert all(row.draup_role_name == row.role_name for row in rows)


def test_the_csv_holds_every_task_of_the_data_and_no_label() -> None:
    """15,113 tasks; a job description must not give the assessor its own training labels."""
    texts = [row.content or "" for row in read_bulk(EXAMPLES / "occupations.csv")]
    assert sum(len(re.findall(r"^- ", text, re.MULTILINE)) for text in texts) == 15_113
    assert all("## Key Responsibilities" in text for text in texts)
    assert not any(re.search(r"\b(E[012]|T[0-4])\b", text) for text in texts)


def test_the_csv_is_what_its_script_makes(tmp_path: Path) -> None:
    output = tmp_path / "occupations.csv"
    script = EXAMPLES / "make_occupations.py"
    subprocess.run([sys.executable, str(script), "--output", str(output)], check=True)
    assert output.read_bytes() == (EXAMPLES / "occupations.csv").read_bytes()


def test_the_folder_holds_184_pages_named_by_their_headings() -> None:
    rows = read_bulk(EXAMPLES / "occupation-pages", company="Occupation Pages")
    assert [row.problem for row in rows if row.problem] == []
    assert len(rows) == len({row.role_name for row in rows}) == 184
    assert "Registered nurses" in {row.role_name for row in rows}
    assert not any(re.match(r"\d", row.role_name) for row in rows)
