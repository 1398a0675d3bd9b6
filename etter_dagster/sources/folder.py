"""Documents in a folder, `<company>/<role>/<type>.<ext>`, the names percent-encoded."""

from __future__ import annotations

import errno
from pathlib import Path
from urllib.parse import quote, unquote

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import SourceUnavailable
from etter_dagster.model.identity import name_problem, normalize_name
from etter_dagster.sources.formats import SUFFIXES
from etter_dagster.sources.protocols import DocumentListing, fingerprint_of
from etter_dagster.sources.text import check_file_size, document_text


class FolderDocuments:
    """Reads `DOCUMENTS_DIR`.

    Args:
        root: The folder of company folders.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def get_document(self, company: str, role: str, type: DocumentType) -> DocumentRef | None:
        """The role's document of one type, in the best of its formats."""
        path = self._files(company, role).get(type)
        return self._read(path, type) if path else None

    def get_documents_for_role(self, company: str, role: str) -> list[DocumentRef]:
        """All documents of the role, one per type."""
        files = self._files(company, role)
        return [self._read(files[type_], type_) for type_ in DocumentType if type_ in files]

    def companies_with_documents(self) -> list[str]:
        """Names of the companies that have a folder."""
        try:
            return sorted(_named_folders(self._root))
        except OSError as error:
            raise _unavailable(error) from error

    def list_documents(self, company: str) -> list[DocumentListing]:
        """All documents of the company, with the size and time of their files."""
        try:
            company_folder = _subfolder(self._root, company)
            roles = _named_folders(company_folder) if company_folder else {}
            return [
                self._listing(normalize_name(company), role, type_, path)
                for role, folder in roles.items()
                for type_, path in _documents_in(folder).items()
            ]
        except OSError as error:
            raise _unavailable(error) from error

    def _listing(self, company: str, role: str, type_: DocumentType, path: Path) -> DocumentListing:
        key = path.relative_to(self._root).as_posix()
        found = path.stat()
        return DocumentListing(
            company=company,
            role=role,
            type=type_,
            source=_SOURCE,
            key=key,
            fingerprint=fingerprint_of(_SOURCE, key, found.st_mtime_ns, found.st_size),
            name=path.name,
        )

    def _files(self, company: str, role: str) -> dict[DocumentType, Path]:
        try:
            company_folder = _subfolder(self._root, company)
            role_folder = _subfolder(company_folder, role) if company_folder else None
            return _documents_in(role_folder) if role_folder else {}
        except OSError as error:
            raise _unavailable(error) from error

    def _read(self, path: Path, type_: DocumentType) -> DocumentRef:
        try:
            check_file_size(path.stat().st_size, path.name, field="documents")
            data = path.read_bytes()
        except OSError as error:
            raise _unavailable(error) from error
        return DocumentRef(type=type_, content=document_text(data, path.name), name=path.name)


_SOURCE = "folder"
_RANKS = {suffix: rank for rank, suffix in enumerate(SUFFIXES)}
_TYPES = frozenset(type_.value for type_ in DocumentType)


def _documents_in(role_folder: Path) -> dict[DocumentType, Path]:
    """Per type the file in the best of its formats."""
    files: dict[DocumentType, Path] = {}
    for path in sorted(role_folder.iterdir(), key=_preference):
        if path.stem in _TYPES:
            files.setdefault(DocumentType(path.stem), path)
    return files


def _unavailable(error: OSError) -> SourceUnavailable:
    return SourceUnavailable(
        f"the folder of ETTER_DOCUMENTS_DIR cannot be read ({error.strerror}); "
        "check that it is there and readable"
    )


def _preference(path: Path) -> tuple[int, str]:
    return _RANKS.get(path.suffix.lower(), len(_RANKS)), path.name


def encoded_name(name: str) -> str:
    """A company or role name as the name of a folder.

    Args:
        name: The name.
    """
    encoded = quote(normalize_name(name), safe="")
    # `.` is never quoted, and these two are no names of folders.
    return encoded.replace(".", "%2E") if encoded in (".", "..") else encoded


def _subfolder(parent: Path, name: str) -> Path | None:
    """The folder of a name: as we encode it, else any that decodes to the same name."""
    try:
        if (exact := parent / encoded_name(name)).is_dir():
            return exact
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
    wanted = normalize_name(name)
    for folder in sorted(parent.iterdir()):
        if _name_of(folder) == wanted and folder.is_dir():
            return folder
    return None


def _named_folders(parent: Path) -> dict[str, Path]:
    """The folders that `_subfolder` finds, by the names that find them."""
    found: dict[str, Path] = {}
    for folder in sorted(parent.iterdir()):
        name = _name_of(folder)
        if name_problem("folder", name) is None and folder.is_dir():
            if folder.name == encoded_name(name):
                found[name] = folder
            else:
                found.setdefault(name, folder)
    return found


def _name_of(folder: Path) -> str:
    return normalize_name(unquote(folder.name))
