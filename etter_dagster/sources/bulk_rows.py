"""One role as a file of many gives it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from etter_dagster.model.errors import ErrorCode, EtterError, FieldProblem


@dataclass(frozen=True)
class BulkRow:
    """One role of a CSV or folder, as it was read.

    `index` counts from 0; `row` is the number that a spreadsheet shows (or the file's name).
    `problem` says why the row cannot be used; the other fields are then what could be read.
    """

    index: int
    row: str
    company: str
    role_name: str
    draup_role_name: str | None = None
    draup_role_id: str | None = None
    content: str | None = None
    problem: EtterError | None = None


def row_error(where: str, code: ErrorCode, problems: Sequence[FieldProblem]) -> EtterError | None:
    """The error of a row, or None without problems.

    Args:
        where: The row, for the message.
        code: The error's code.
        problems: What is wrong.
    """
    if not problems:
        return None
    message = "; ".join(f"{problem.field} {problem.message}" for problem in problems)
    return EtterError(code, f"{where}: {message}", fields=problems)
