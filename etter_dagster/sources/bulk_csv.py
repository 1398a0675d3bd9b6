"""Roles out of CSV text; the command line and REST (`text/csv`) read the same.

A broken row has its verdict and never hides the good ones; only a text that is no such CSV at
all is refused as a whole, since its rows could not be told apart.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Sequence

from etter_dagster.model.documents import MAX_DOCUMENT_BYTES
from etter_dagster.model.errors import ErrorCode, FieldProblem, ValidationFailed
from etter_dagster.model.identity import name_problem, normalize_name
from etter_dagster.sources.bulk_rows import BulkRow, row_error

COLUMNS = ("company", "role", "draup_role", "jd")
OPTIONAL_COLUMNS = ("draup_role_id",)
HEADER = "company,role,draup_role,jd[,draup_role_id]"
# Where the comma is the decimal point, Excel's "CSV UTF-8" has semicolons; its Unicode text, tabs.
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
# Stands for NUL while parsing: csv refuses NUL in some Python versions and would lose all rows.
_NUL_STAND_IN = "\udc00"
_QUOTING = (
    'is quoted wrongly: put quotes around the whole cell and double those inside, "say ""yes"""'
)


def csv_text(data: bytes) -> str:
    """The text of a CSV file or body.

    Raises:
        ValidationFailed: It is not UTF-8 text.
    """
    if data.startswith(b"PK\x03\x04"):
        raise _unreadable("is a spreadsheet; export it as CSV (UTF-8)")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise _unreadable("is not text in UTF-8; save it as CSV (UTF-8)") from None


def read_csv(text: str) -> list[BulkRow]:
    """Reads a CSV with the header `company,role,draup_role,jd[,draup_role_id]`.

    Semicolons or tabs may stand for the commas, if they do in the header. A broken row is in the
    result with its problem and never hides the others.

    Args:
        text: The whole CSV.

    Raises:
        ValidationFailed: It is not such a CSV at all: no or another header, bad quoting.
    """
    text = text.removeprefix("\ufeff")
    separator = _separator(text)
    records = _records(text, separator)
    header = _header(next(records, (1, []))[1])
    rows: list[BulkRow] = []
    for index, (number, cells) in enumerate(records):
        if not isinstance(cells, _BadQuoting):
            rows.append(_row(index, number, header, cells, _SEPARATORS[separator]))
        elif cells.contained:
            rows.append(_badly_quoted_row(index, number))
        else:
            raise _unreadable(f"row {number} {_QUOTING}, and what follows cannot be told apart")
    return rows


def _unreadable(message: str) -> ValidationFailed:
    return ValidationFailed(FieldProblem("csv", message))


def _separator(text: str) -> str:
    """What stands between the cells of the header."""
    lines = (line.strip() for line in io.StringIO(text))
    first = next((line for line in lines if line.strip(",;\t ")), "")
    for separator in _SEPARATORS:
        if set(COLUMNS) <= {cell.strip(' "').lower() for cell in first.split(separator)}:
            return separator
    return ","


class _BadQuoting(Exception):
    """A record that csv cannot read; `contained` if the next record's begin is still certain."""

    def __init__(self, message: str, *, contained: bool) -> None:
        super().__init__(message)
        self.contained = contained


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str] | _BadQuoting]]:
    """Non-blank records with their number, the header being 1."""
    nul = "\0" in text
    # One cell may be as long as the text; the limit is csv's only guard and is global.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    source = io.StringIO(text.replace("\0", _NUL_STAND_IN) if nul else text, newline="")
    line = ""

    def lines() -> Iterator[str]:
        nonlocal line
        for line in source:  # noqa: UP028  (the error handler below looks at `line`)
            yield line

    reader = csv.reader(lines(), delimiter=separator, strict=True)
    for number in itertools.count(1):
        begin = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # With all its quotes in pairs, no cell of this line can reach into the next one.
            contained = reader.line_num == begin + 1 and line.count('"') % 2 == 0
            yield number, _BadQuoting(str(error), contained=contained)
            continue
        if any(cell.strip() for cell in cells):
            yield number, [c.replace(_NUL_STAND_IN, "\0") for c in cells] if nul else cells


def _header(cells: Sequence[str] | _BadQuoting) -> list[str]:
    if isinstance(cells, _BadQuoting):
        raise _unreadable(f"the first line {_QUOTING}; it must be {HEADER}")
    names = [cell.strip().lower() for cell in cells]
    if len(names) == len(set(names)) and set(COLUMNS) <= set(names) <= {
        *COLUMNS,
        *OPTIONAL_COLUMNS,
    }:
        return names
    if not names:
        raise _unreadable(f"is empty; the first line must be {HEADER}")
    shown = ",".join(cell if cell.isprintable() else "?" for cell in cells)[:100]
    raise _unreadable(f"begins with '{shown}'; the first line must be {HEADER}")


def _row(
    index: int, number: int, header: Sequence[str], cells: Sequence[str], separator: str
) -> BulkRow:
    values = dict(zip(header, cells, strict=False))  # the lengths are checked below
    problems = list(_problems(header, cells, values, separator))
    too_large = _jd_size(values) > MAX_DOCUMENT_BYTES
    code = ErrorCode.VALIDATION_ERROR
    if too_large and not problems:
        code = ErrorCode.PAYLOAD_TOO_LARGE
    if too_large:
        problems.append(
            FieldProblem("jd", f"is over {MAX_DOCUMENT_BYTES} bytes of text; shorten or split it")
        )
    jd = values.get("jd", "")
    return BulkRow(
        index=index,
        row=str(number),
        company=normalize_name(values.get("company", "")),
        role_name=normalize_name(values.get("role", "")),
        draup_role_name=normalize_name(values.get("draup_role", "")) or None,
        draup_role_id=normalize_name(values.get("draup_role_id", "")) or None,
        content=jd if jd.strip() and not problems else None,
        problem=row_error(f"row {number}", code, problems),
    )


def _badly_quoted_row(index: int, number: int) -> BulkRow:
    problem = FieldProblem("csv", _QUOTING)
    return BulkRow(
        index=index,
        row=str(number),
        company="",
        role_name="",
        problem=row_error(f"row {number}", ErrorCode.VALIDATION_ERROR, [problem]),
    )


def _problems(
    header: Sequence[str], cells: Sequence[str], values: dict[str, str], separator: str
) -> Iterator[FieldProblem]:
    if len(cells) < len(header) and header[len(cells)] not in OPTIONAL_COLUMNS:
        yield FieldProblem(
            header[len(cells)],
            f"is missing: the row has {len(cells)} cells, the header {len(header)}; "
            f"an empty cell needs its {separator}",
        )
        return
    if len(cells) > len(header):
        yield FieldProblem(
            header[-1],
            f"is followed by {len(cells) - len(header)} cells too many; "
            f"put quotes around a cell that holds a {separator}",
        )
        return
    for field in header:
        value = normalize_name(values.get(field, ""))
        if field == "jd":
            if bad := next((c for c in value if c == "\0" or "\ud800" <= c <= "\udfff"), None):
                yield FieldProblem(field, f"holds the character U+{ord(bad):04X}; remove it")
        elif (value or field in ("company", "role")) and (p := name_problem(field, value)):
            yield p


def _jd_size(values: dict[str, str]) -> int:
    return len(values.get("jd", "").encode("utf-8", "surrogatepass"))
