"""Tables on a terminal and off it, and texts of strangers on either."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from etter_dagster.cli.output import clean, print_table

ID = "cr-occupation-pages-heavy-and-tractor-trailer-truck-drivers-10f498fbe217"


def printed(rows: list[list[object]], *, terminal: bool) -> str:
    file = io.StringIO()
    console = Console(
        file=file, force_terminal=terminal, width=80, color_system="truecolor", markup=False
    )
    print_table(["role", "state", "score", "role id"], rows, console=console)
    return file.getvalue()


def test_a_table_fits_80_columns_and_ids_are_whole() -> None:
    """An id that is cut cannot be copied."""
    text = printed([["Heavy and tractor-trailer truck drivers", "ready", 40.0, ID]], terminal=True)
    lines = [Text.from_ansi(line).plain for line in text.splitlines()]
    assert max(map(len, lines)) <= 80
    column = next(line.index("role id") for line in lines if "role id" in line)
    assert ID in "".join(line[column:].strip() for line in lines)


@pytest.mark.parametrize(("width", "whole"), [(80, False), (140, True)])
def test_the_spare_column_goes_before_the_others_are_squeezed(width: int, whole: bool) -> None:
    """Names folded to five letters beside an id of 70 could not be read."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=width, color_system=None)
    role = "Heavy and tractor-trailer truck drivers"
    columns = ["role", "Draup role", "state", "role id"]
    row = [role, role, "ready", ID]
    assert print_table(columns, [row], spare="role id", console=console) is whole
    text = file.getvalue()
    assert role in text
    assert (ID in text) is whole
    assert "Draup role" not in text, "it repeats the role"


def test_off_a_terminal_a_row_is_a_line_with_tabs_and_no_colour() -> None:
    text = printed([["Analyst", "ready", 40.04, ID]], terminal=False)
    assert text == f"role\tstate\tscore\trole id\nAnalyst\tready\t40.0\t{ID}\n"


def test_nothing_in_a_text_acts_on_the_terminal() -> None:
    """Names and documents come from strangers."""
    hostile = "a\x1b[31m\x07\u202eb\tc\nd\x9b0m\ud800[bold]e[/]"
    for terminal in (True, False):
        text = printed([[hostile, "ready", None, "x"]], terminal=terminal)
        assert not {"\x07", "\x9b", "\u202e", "\ud800"} & set(text)
        assert "\x1b[31m" not in text
        assert "[bold]e[/]" in text
    assert "\t" not in clean(hostile)
    assert "\n" not in clean(hostile)


def test_a_company_that_is_always_the_same_takes_no_room_of_a_terminal() -> None:
    """With 727 roles of one company the names of the roles were wrapped for it."""

    def table(*companies: str, terminal: bool = True) -> str:
        file = io.StringIO()
        console = Console(file=file, force_terminal=terminal, width=80, markup=False)
        rows = [[company, "Clerk"] for company in companies]
        print_table(["company", "role"], rows, console=console)
        return file.getvalue()

    assert "Acme" not in table("Acme", "Acme")
    assert "Acme" in table("Acme", "Bolt")
    assert "Acme" in table("Acme")
    assert "Acme" in table("Acme", "Acme", terminal=False)
