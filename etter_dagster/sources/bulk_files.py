"""What `etter push --file` is given: a CSV file or a folder.

Only reading belongs here: whether a role may be pushed is decided by `onboarding`.
"""

from __future__ import annotations

from pathlib import Path

from etter_dagster.model.errors import FieldProblem, ValidationFailed
from etter_dagster.sources.bulk_csv import csv_text, read_csv
from etter_dagster.sources.bulk_folder import read_folder
from etter_dagster.sources.bulk_rows import BulkRow


def read_bulk(
    path: Path, *, company: str | None = None, draup_role: str | None = None
) -> list[BulkRow]:
    """Reads what `etter push --file` is given.

    Args:
        path: A CSV file or a folder.
        company: The company of a folder's roles; a CSV names its own.
        draup_role: Overrides the Draup role of each file of a folder.

    Raises:
        ValidationFailed: It is neither, cannot be read, or `company` is missing.
    """
    try:
        if path.is_dir():
            if not company:
                raise ValidationFailed(FieldProblem("company", "a folder needs --company NAME"))
            return read_folder(path, company=company, draup_role=draup_role)
        data = path.read_bytes()
    except OSError as error:
        raise ValidationFailed(
            FieldProblem(
                "file", f"{path} cannot be read ({error.strerror}); give a CSV or a folder"
            )
        ) from None
    return read_csv(csv_text(data))
