"""Roles out of a folder of files, and the choice between CSV and folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from etter_dagster.model.errors import ErrorCode, ValidationFailed
from etter_dagster.sources.bulk_files import read_bulk
from etter_dagster.sources.bulk_folder import first_heading, read_folder
from etter_dagster_tests import papers


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("# Baker\n\n## Overview", "Baker"),
        ("intro\n\n### **Head _Baker_** ###\n", "Head Baker"),
        ("# build_and_run *", "build_and_run *"),
        ("Baker\n=====\n", "Baker"),
        ("```\n# no heading\n```\n## Baker", "Baker"),
        ("# [Baker](https://x.example)", "Baker"),
        ("#Baker\n#", None),
        ("---\n\ntext", None),
        ("", None),
    ],
)
def test_the_first_heading_is_found_without_its_marks(text: str, heading: str | None) -> None:
    assert first_heading(text) == heading


def test_each_file_is_one_role_named_by_its_heading_else_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Baker\n\n- Bakes")
    (tmp_path / "b.html").write_text("<h1>Cook</h1><p>Cooks</p>")
    (tmp_path / "Waiter.txt").write_text("Serves guests")
    for left_out in (".hidden", "~$Baker.docx", "Thumbs.db", "desktop.ini"):
        (tmp_path / left_out).write_text("# No")
    (tmp_path / "sub").mkdir()
    rows = read_folder(tmp_path, company=" Acme ")
    assert [(r.row, r.company, r.role_name, r.draup_role_name) for r in rows] == [
        ("Waiter.txt", "Acme", "Waiter", "Waiter"),
        ("a.md", "Acme", "Baker", "Baker"),
        ("b.html", "Acme", "Cook", "Cook"),
    ]
    assert [r.index for r in rows] == [0, 1, 2]
    assert all(r.problem is None and r.content for r in rows)


def test_a_given_draup_role_overrides(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Baker")
    (row,) = read_folder(tmp_path, company="Acme", draup_role="Food Maker")
    assert (row.role_name, row.draup_role_name) == ("Baker", "Food Maker")


def test_a_bad_file_has_its_verdict_and_never_hides_the_good_ones(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "b.md").write_text(" \n")
    (tmp_path / "c.md").write_text("# " + "x" * 201)
    (tmp_path / "d.md").write_text("x" * (2 * 1024 * 1024 + 1))
    (tmp_path / "e.md").write_text("# Good")
    rows = read_folder(tmp_path, company="Acme")
    problems = [r.problem for r in rows]
    assert [p.code if p else None for p in problems] == [
        ErrorCode.VALIDATION_ERROR,
        ErrorCode.VALIDATION_ERROR,
        ErrorCode.VALIDATION_ERROR,
        ErrorCode.PAYLOAD_TOO_LARGE,
        None,
    ]
    for row in rows[:4]:
        assert row.problem is not None
        assert row.row in row.problem.message


def test_a_path_is_a_csv_or_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.md").write_text("# Baker")
    file = tmp_path / "roles.csv"
    file.write_text("company,role,draup_role,jd\nAcme,Cook,Cooks,text\n")
    assert [r.role_name for r in read_bulk(file)] == ["Cook"]
    assert [r.role_name for r in read_bulk(folder, company="Acme")] == ["Baker"]
    with pytest.raises(ValidationFailed, match="--company"):
        read_bulk(folder)
    with pytest.raises(ValidationFailed, match="cannot be read"):
        read_bulk(tmp_path / "missing.csv")


def test_pdf_and_word_files_are_roles_too(tmp_path: Path) -> None:
    """A broken one has its verdict and hides no other."""
    (tmp_path / "a.docx").write_bytes(papers.docx())
    (tmp_path / "Claims Adjuster.pdf").write_bytes(papers.pdf(["Review claims"]))
    (tmp_path / "locked.pdf").write_bytes(papers.encrypted_pdf())
    rows = {row.row: row for row in read_folder(tmp_path, company="Acme")}
    assert rows["a.docx"].role_name == "Claims Adjuster"
    assert rows["Claims Adjuster.pdf"].role_name == "Claims Adjuster"
    assert rows["Claims Adjuster.pdf"].content == "Review claims"
    assert rows["locked.pdf"].problem is not None
    assert "is encrypted" in rows["locked.pdf"].problem.message
