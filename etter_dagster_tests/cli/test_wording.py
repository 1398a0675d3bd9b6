"""What people read names options, columns and commands; JSON stays as REST gives it."""

from __future__ import annotations

from pathlib import Path

from etter_dagster.cli.output import counted
from etter_dagster.cli.wording import said, said_field, said_of_row
from etter_dagster_tests.cli.conftest import Etter, Served

LACKING = (
    "documents: give at least one document with content or a uri: none is known yet; "
    "draup_role_name: give the Draup role (or draup_role_id): none is known yet"
)


def test_fields_are_options_where_a_role_is_pushed_and_columns_in_a_csv() -> None:
    assert said(LACKING) == (
        "--document FILE: give at least one document: none is known yet; "
        "--draup-role NAME: give the Draup role: none is known yet"
    )
    assert said_of_row(LACKING).startswith("jd: give at least one document: none")
    assert "; draup_role: give the Draup role (or draup_role_id)" in said_of_row(LACKING)
    assert said("documents[2].content: holds a NUL") == "--document FILE: holds a NUL"
    assert said_field("documents[2].content") == "--document FILE"


def test_words_that_only_look_like_a_field_stay() -> None:
    for text in ("'my documents' is queued", "idempotency_key: has 0 characters", "a documents: b"):
        assert said(text) == text


def test_nobody_at_a_terminal_is_sent_to_a_route_of_rest(
    etter: Etter, service: Served, jd: Path
) -> None:
    for command in ("show", "compare"):
        ran = etter(command, "cr-acme-none-000000000000")
        assert ran.code == 2
        assert "etter roles COMPANY" in ran.stderr
        assert "GET /" not in ran.stderr
    for command in ("status", "retry", "cancel"):
        ran = etter(command, "role-onboard-000000000000")
        assert ran.code == 2
        assert "GET /" not in ran.stderr
    assert "GET /" in etter("show", "cr-acme-none-000000000000", "--json").error["message"]


def test_one_is_not_counted_as_several() -> None:
    assert [counted(n, "push", "pushes") for n in (0, 1, 2)] == ["0 pushes", "1 push", "2 pushes"]
    assert counted(1, "row") + counted(3, "row") == "1 row3 rows"
