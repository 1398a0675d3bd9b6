"""Documents in a folder of this machine, `DOCUMENTS_DIR`."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from etter_dagster.model.errors import SourceUnavailable
from etter_dagster.sources.layout import LayoutDocuments, StoredFile
from etter_dagster.sources.text import check_file_size


class FolderDocuments(LayoutDocuments):
    """Reads `DOCUMENTS_DIR`.

    Args:
        root: The folder of company folders.
    """

    def __init__(self, root: Path) -> None:
        super().__init__("folder", _Folder(root))


class _Folder:
    """A folder as a storage; it must be there, or an unmounted share would look empty."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def folders(self, path: str) -> list[str]:
        with _reading():
            return [entry.name for entry in self._entries(path) if entry.is_dir()]

    def files(self, path: str) -> list[StoredFile]:
        with _reading():
            return [stored for entry in self._entries(path) if (stored := _stored(entry))]

    def files_below(self, path: str) -> dict[str, list[StoredFile]]:
        return {name: self.files(f"{path}/{name}") for name in self.folders(path)}

    def read(self, path: str) -> bytes:
        file = self._root / path
        with _reading():
            check_file_size(file.stat().st_size, file.name, field="documents")
            return file.read_bytes()

    def _entries(self, path: str) -> list[Path]:
        try:
            return sorted((self._root / path).iterdir())
        except OSError as error:
            absent = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
            if path and error.errno in absent and self._root.is_dir():
                return []
            raise


def _stored(path: Path) -> StoredFile | None:
    """The file; None for one that is gone since its name was read, or a link to nothing."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return StoredFile(path.name, (found.st_mtime_ns, found.st_size))


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceUnavailable(
            f"the folder of ETTER_DOCUMENTS_DIR cannot be read ({error.strerror}); "
            "check that it is there and readable"
        ) from error
