"""Where a caller's own API key comes from: the environment, or a file."""

from __future__ import annotations

import os
from pathlib import Path

from etter_dagster.model.errors import FieldProblem, ValidationFailed

VARIABLE = "ETTER_API_KEY"
_FILE_VARIABLE = f"{VARIABLE}_FILE"
_MAX_BYTES = 1000


def key_of_environment() -> str | None:
    """The key that the environment gives, itself or in a file.

    Raises:
        ValidationFailed: It cannot be read or used, or both are given.
    """
    key, file = os.environ.get(VARIABLE, "").strip(), os.environ.get(_FILE_VARIABLE, "").strip()
    if key and file:
        raise _no_key(VARIABLE, f"and {_FILE_VARIABLE} are both set; keep one")
    if file:
        return key_in(Path(file), _FILE_VARIABLE)
    return _checked(key, VARIABLE, "its value") if key else None


def key_in(path: Path, field: str) -> str:
    """The key that a file holds.

    Args:
        path: The file.
        field: What names it, for errors.

    Raises:
        ValidationFailed: The file cannot be read, or holds no key.
    """
    try:
        with path.expanduser().open("rb") as file:
            key = file.read(_MAX_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise _no_key(field, f"{path} cannot be read: {reason}") from None
    return _checked(key, field, str(path))


def _checked(key: str, field: str, where: str) -> str:
    if not key or not (key.isascii() and key.isprintable()) or " " in key:
        raise _no_key(field, f"{where} is not one API key; write the key alone into it")
    return key


def _no_key(field: str, message: str) -> ValidationFailed:
    return ValidationFailed(FieldProblem(field, message))
