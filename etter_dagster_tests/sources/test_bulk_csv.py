"""Roles out of CSV: what is read, what is a row's problem, what refuses the whole file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etter_dagster.model.errors import ErrorCode, ValidationFailed
from etter_dagster.sources.bulk_csv import csv_text, read_csv

HEAD = "company,role,draup_role,jd\n"
GOOD = "Acme,Good,Standard,text\n"


def test_a_row_is_a_role_with_its_cells_trimmed() -> None:
    (row,) = read_csv(HEAD + ' Acme , Baker ,Bakers,"# Baker\n\n- Bakes ""bread"", cakes"\n')
    assert (row.index, row.row, row.problem) == (0, "2", None)
    assert (row.company, row.role_name, row.draup_role_name) == ("Acme", "Baker", "Bakers")
    assert row.content == '# Baker\n\n- Bakes "bread", cakes'
    assert row.draup_role_id is None


def test_columns_may_stand_in_any_order_and_case_and_the_draup_id_may_be_there() -> None:
    (row,) = read_csv("Role,JD,draup_role_id,Company,Draup_Role\nBaker,text,d-1,Acme,Bakers\n")
    assert (row.company, row.role_name, row.content) == ("Acme", "Baker", "text")
    assert (row.draup_role_name, row.draup_role_id) == ("Bakers", "d-1")


def test_the_optional_last_cell_may_be_left_out_of_a_row() -> None:
    (row,) = read_csv("company,role,draup_role,jd,draup_role_id\nAcme,Baker,Bakers,text\n")
    assert row.problem is None


def test_an_empty_jd_is_no_document() -> None:
    (row,) = read_csv(HEAD + 'Acme,Baker,Bakers,"  "\n')
    assert (row.content, row.problem) == (None, None)


def test_blank_lines_are_no_rows_but_count_as_a_spreadsheet_counts() -> None:
    rows = read_csv("\n" + HEAD + "\n" + GOOD + ",,,\n" + GOOD)
    assert [(r.index, r.row) for r in rows] == [(0, "4"), (1, "6")]


def test_only_a_header_gives_no_rows() -> None:
    assert read_csv(HEAD) == []


@pytest.mark.parametrize(
    ("data", "role"),
    [
        (b"\xef\xbb\xbf" + HEAD.encode() + "Acme,Bäcker,D,t\n".encode(), "Bäcker"),
        ((HEAD + "Acme,Bäcker,D,t\n").encode("utf-16"), "Bäcker"),
        ((HEAD + "Acme,Baker,D,t\n").replace("\n", "\r\n").encode(), "Baker"),
        ((HEAD + "Acme,Bäcker,D,t\n").replace(",", ";").encode("utf-8-sig"), "Bäcker"),
        (("\n" + HEAD + "Acme,Bäcker,D,t\n").replace(",", "\t").encode("utf-16"), "Bäcker"),
        (b'"Company";"Role";"Draup_Role";"JD"\nAcme;"a;b, c";D;t\n', "a;b, c"),
    ],
)
def test_what_spreadsheets_export_is_read(data: bytes, role: str) -> None:
    (row,) = read_csv(csv_text(data))
    assert (row.role_name, row.content, row.problem) == (role, "t", None)


@pytest.mark.parametrize(
    ("line", "field", "remedy"),
    [
        (",Baker,D,t", "company", "give a name"),
        ("Acme,  ,D,t", "role", "give a name"),
        (f"Acme,{'x' * 201},D,t", "role", "at most 200"),
        ("Acme,Ba\0ker,D,t", "role", "U+0000; remove it"),
        ("Acme,Baker,D\x07,t", "draup_role", "U+0007; remove it"),
        ("Acme,Baker,D,a\0b", "jd", "U+0000; remove it"),
        ("Acme,Baker,D,a\ud800b", "jd", "U+D800; remove it"),
        ("Acme,Baker", "draup_role", "an empty cell needs its comma"),
        ("Acme,Baker,D,one, two", "jd", "put quotes around"),
        ('Acme,"Baker" x,D,t', "csv", "double those inside"),
    ],
)
def test_a_broken_row_has_its_verdict_and_never_hides_the_good_ones(
    line: str, field: str, remedy: str
) -> None:
    before, broken, after = read_csv(HEAD + GOOD + line + "\n" + GOOD)
    assert before.problem is None
    assert after.problem is None
    assert (after.index, after.row, after.role_name) == (2, "4", "Good")
    assert broken.problem is not None
    assert broken.problem.code is ErrorCode.VALIDATION_ERROR
    assert broken.problem.message.startswith("row 3: ")
    assert broken.problem.fields[0].field == field
    assert remedy in broken.problem.message
    assert broken.content is None


def test_a_broken_row_of_semicolons_is_told_of_semicolons() -> None:
    short, long = read_csv("company;role;draup_role;jd\nAcme;Baker\nAcme;Baker;D;one; two\n")
    assert short.problem is not None
    assert long.problem is not None
    assert "an empty cell needs its semicolon" in short.problem.message
    assert "a cell that holds a semicolon" in long.problem.message


def test_all_problems_of_a_row_are_named_at_once() -> None:
    (row,) = read_csv(HEAD + ",,D,t\n")
    assert row.problem is not None
    assert [problem.field for problem in row.problem.fields] == ["company", "role"]


def test_a_jd_of_over_2_mib_is_that_rows_problem() -> None:
    large = "x" * (2 * 1024 * 1024)
    fits, too_large, good = read_csv(f"{HEAD}A,R,D,{large}\nA,S,D,{large}x\n{GOOD}")
    assert fits.problem is None
    assert good.problem is None
    assert too_large.problem is not None
    assert too_large.problem.code is ErrorCode.PAYLOAD_TOO_LARGE
    assert too_large.content is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; the first line must be company,role"),
        ("a,b\n1,2\n", "the first line must be company,role"),
        ("company|role|draup_role|jd\nA|B|C|D\n", "the first line must be company,role"),
        ("company;role,draup_role;jd\n", "the first line must be company,role"),
        ("company,role,draup_role\n", "the first line must be"),
        ("company,role,draup_role,jd,salary\n", "the first line must be"),
        ("company,role,role,draup_role,jd\n", "the first line must be"),
        ('company,"role"x,draup_role,jd\n', "the first line is quoted wrongly"),
        ("\x00\x01\x02binary", "the first line must be"),
        (HEAD + GOOD + 'Acme,Baker,D,"never closed\n' + GOOD, "row 3 is quoted wrongly"),
        (HEAD + GOOD + 'Acme,"Baker" x,D,"two\nlines"\n', "row 3 is quoted wrongly"),
    ],
)
def test_what_is_no_such_csv_is_refused_as_a_whole(text: str, message: str) -> None:
    """After an unclosed quote the rest could be read as anything, and be paid for."""
    with pytest.raises(ValidationFailed, match="csv: ") as caught:
        read_csv(text)
    assert message in caught.value.message


@pytest.mark.parametrize("data", [b"PK\x03\x04...", b"\xff\xfe\x00", b"company\xe9"])
def test_bytes_that_are_not_text_are_refused_with_the_remedy(data: bytes) -> None:
    with pytest.raises(ValidationFailed, match="UTF-8"):
        csv_text(data)


@given(st.text(max_size=300), st.booleans())
def test_no_text_makes_the_reader_fail_in_another_way(text: str, with_header: bool) -> None:
    try:
        rows = read_csv(HEAD + text if with_header else text)
    except ValidationFailed:
        return
    assert [row.index for row in rows] == list(range(len(rows)))
    assert all(row.problem or (row.company and row.role_name) for row in rows)
