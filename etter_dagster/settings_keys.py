"""The file of `API_KEYS_FILE`: a JSON list of keys by their hashes, read and written whole."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from etter_dagster.model.api_keys import ApiKey, duplicates

_KEYS = TypeAdapter(tuple[ApiKey, ...])
_ONLY_OWNER = 0o600


class KeysFileError(ValueError):
    """The file cannot be used; the message says why, and holds nothing out of it but ids."""


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """The keys in a file.

    Args:
        path: The file.

    Raises:
        KeysFileError: It cannot be read, or is not as it must be.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise KeysFileError(f"{path} cannot be read: {error.strerror}") from None
    try:
        keys = _KEYS.validate_python(json.loads(data))
    except ValidationError as error:
        raise KeysFileError(f"{path}: {_first_problem(error)}") from None
    except (ValueError, RecursionError):
        raise KeysFileError(f"{path} is not JSON in UTF-8") from None
    if twice := duplicates(keys):
        raise KeysFileError(f"{path}: ids stand on several keys: {', '.join(twice)}")
    return keys


def write_keys(path: Path, keys: Sequence[ApiKey]) -> None:
    """Replaces the file in one step, so that a reader sees the old or the new one, whole.

    An existing file keeps its owner and mode, as a service under another user may read it; a new
    one is for its owner alone.

    Args:
        path: The file; its folder is made if it is not there.
        keys: All of them.

    Raises:
        KeysFileError: It cannot be written.
    """
    rows = [key.model_dump(mode="json", exclude_none=True) for key in keys]
    path = path.resolve()  # a link stays a link
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        number, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
                _like_before(file.fileno(), path)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(draft)
            raise
    except OSError as error:
        raise KeysFileError(f"{path} cannot be written: {error.strerror}") from None


def _like_before(number: int, path: Path) -> None:
    os.fchmod(number, _ONLY_OWNER)
    with contextlib.suppress(FileNotFoundError):
        before = path.stat()
        with contextlib.suppress(PermissionError):  # only root may give a file away
            os.fchown(number, before.st_uid, before.st_gid)
        os.fchmod(number, before.st_mode & 0o660)


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_input=False, include_url=False)[0]
    place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in problem["loc"])
    what = problem["msg"].removeprefix("Value error, ")
    return f"{place.lstrip('.')}: {what}" if place else "it is no list of keys"
