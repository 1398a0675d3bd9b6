"""Reading files that a person named."""

from __future__ import annotations

from pathlib import Path

from etter_dagster.model.errors import FieldProblem, ValidationFailed
from etter_dagster.sources.text import check_file_size, document_text


def read_text(path: Path, *, field: str) -> str:
    """The text of a document file.

    Args:
        path: The file.
        field: The option to blame.

    Raises:
        EtterError: It cannot be read, is no text, or is too large.
    """
    try:
        if not path.is_file():
            what = "is a folder; give a file" if path.is_dir() else "does not exist"
            raise ValidationFailed(FieldProblem(field, f"{path} {what}"))
        check_file_size(path.stat().st_size, path.name, field=field)
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # a ValueError: NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise ValidationFailed(
            FieldProblem(field, f"{path} cannot be read ({reason}); check its name and permissions")
        ) from None
    text = document_text(data, path.name, field=field)
    if not text.strip():
        raise ValidationFailed(FieldProblem(field, f"{path} is empty"))
    return text
