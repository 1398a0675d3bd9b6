"""What commands print: tables for people, tab-separated lines for pipes, JSON for programs.

Texts of roles and documents come from strangers: they are never read as markup, and nothing in
them reaches the terminal as a control sequence.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from pydantic import BaseModel
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

_COLORS = {
    "ready": "green",
    "ok": "green",
    "completed": "green",
    "processing": "cyan",
    "running": "cyan",
    "degraded": "yellow",
    "stale": "yellow",
    "partial": "yellow",
    "warning": "yellow",
    "failed": "red",
    "refused": "red",
    "problem": "red",
    "unreachable": "red",
    "validation_error": "red",
}
_RIGHT = frozenset({"score"})
_WHOLE = frozenset({"workflow id", "skipped", "state", "status", "verdict", "assessed", "score"})
_READABLE = 24
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def out() -> Console:
    """Standard output as it is now."""
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)


def err() -> Console:
    """Standard error as it is now."""
    return Console(file=sys.stderr, highlight=False, markup=False, emoji=False)


def say(message: str) -> None:
    """A message for people, beside the output."""
    err().print(message, soft_wrap=True)


def tell(line: str = "") -> None:
    """A line of the output."""
    out().print(line, soft_wrap=True)


def tell_text(text: str) -> None:
    """A text of several lines, safe to print.

    Args:
        text: Whatever a document holds.
    """
    for line in text.split("\n"):
        sys.stdout.write("".join(_safe(char) for char in line.replace("\t", "    ")) + "\n")


def clean(value: object) -> str:
    """A value as one line that is safe to print.

    Args:
        value: Anything; None is empty, times are UTC, line ends become spaces.
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%MZ")
    text = value.value if isinstance(value, Enum) else value
    return "".join(_safe(char) for char in " ".join(str(text).split()))


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number with what it counts: `1 push`, `2 pushes`.

    Args:
        count: How many.
        one: What one is called.
        many: What several are called, if not that with an `s`.
    """
    return f"{count} {one if count == 1 else many or one + 's'}"


def _safe(char: str) -> str:
    if unicodedata.category(char) in ("Cc", "Cs") or char in _BIDI:
        return "\N{REPLACEMENT CHARACTER}"
    return char


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    spare: str | None = None,
    console: Console | None = None,
) -> bool:
    """A table that fits the terminal, without columns that tell nothing; else lines with tabs.

    Args:
        columns: Their headings.
        rows: Their cells.
        spare: The column that is left out, if the others would be squeezed beside it.
        console: Where; standard output, if None.

    Returns:
        Whether the spare column is there.
    """
    console = console or out()
    cells = [[clean(cell) for cell in row] for row in rows]
    if not console.is_terminal:
        for line in ([*columns], *cells):
            console.file.write("\t".join(line) + "\n")
        return True
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    shown = [i for i in range(len(columns)) if not cells or _tells(columns[i], i, cells)]
    squeezed = _width(columns, cells, shown, spare) > console.width
    if squeezed:
        shown = [i for i in shown if columns[i] != spare]
    for column in (columns[i] for i in shown):
        # Ids are for copying: they are never cut, and the short ones stay on one line.
        table.add_column(
            column,
            overflow="fold",
            no_wrap=column in _WHOLE,
            justify="right" if column in _RIGHT else "left",
        )
    for row in cells:
        table.add_row(*(Text(row[i], style=_COLORS.get(row[i], "")) for i in shown))
    console.print(table)
    return not squeezed


def _width(
    columns: Sequence[str], cells: Sequence[Sequence[str]], shown: Sequence[int], spare: str | None
) -> int:
    """What a table needs with its spare column whole and the others readable; 0 without one."""
    if spare is None:
        return 0
    needed = 1
    for i in shown:
        widest = max(cell_len(text) for text in (columns[i], *(row[i] for row in cells)))
        needed += 3 + (widest if columns[i] in (spare, *_WHOLE) else min(widest, _READABLE))
    return needed


def _tells(column: str, at: int, cells: Sequence[Sequence[str]]) -> bool:
    """Whether a column is worth its width: not if it is empty, repeats the role, or is always
    the same company.
    """
    values = {row[at] for row in cells}
    if column == "Draup role" and all(row[at] == row[0] for row in cells):
        return False
    return values != {""} and (column != "company" or len(values) > 1 or len(cells) == 1)


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Names with their values, one a line; empty values are left out.

    Args:
        facts: The pairs.
    """
    for name, value in facts:
        if (text := clean(value)) != "":
            tell(f"{name}: {text}")


def print_json(value: BaseModel | Sequence[Any] | dict[str, Any]) -> None:
    """One JSON document on standard output.

    Args:
        value: An answer of the service, or plain data.
    """
    text = (
        value.model_dump_json(indent=2)
        if isinstance(value, BaseModel)
        else json.dumps(value, indent=2, default=_plain)
    )
    sys.stdout.write(text + "\n")


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} is no JSON")
