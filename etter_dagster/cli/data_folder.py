"""Whether the data folder can be used. Leaves nothing behind in it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

REMEDY = "set ETTER_DATA_DIR to a folder of yours on a local disk that has room"
_ROOM = 1 << 20  # bytes; with less left nothing works


def existing_part(folder: Path) -> Path:
    """The folder, or the nearest of its parents that is there."""
    return next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))


def folder_problem(folder: Path) -> str | None:
    """What keeps a folder from being made or written, or None.

    Args:
        folder: The data folder.
    """
    existing = existing_part(folder)
    if not existing.is_dir():
        return f"{existing} is no folder"
    try:
        # Permissions do not tell all: of a kernel's file system, a full or a read-only disk.
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(bytes(_ROOM))
        return None
    except OSError as error:
        return f"{existing} cannot be written ({error.strerror})"
