"""Documents stored as `<company>/<role>/<type>.<ext>`, names percent-encoded; wherever that is.

People make such folders by hand: any encoding of a name is found, ours first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import quote, unquote

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import DocumentUnavailable
from etter_dagster.model.identity import name_problem, normalize_name
from etter_dagster.sources.formats import SUFFIXES
from etter_dagster.sources.http_api import HttpStatus
from etter_dagster.sources.protocols import DocumentListing, fingerprint_of
from etter_dagster.sources.text import document_text

_RANKS = {suffix: rank for rank, suffix in enumerate(SUFFIXES)}
_ALONE = (403, 404)
_TYPES = frozenset(type_.value for type_ in DocumentType)


@dataclass(frozen=True)
class StoredFile:
    """A file of a folder; `version` differs whenever its bytes may."""

    name: str
    version: tuple[object, ...]


class Storage(Protocol):
    """Where the files are. Paths have `/` between their parts and none at their ends.

    What cannot be read raises `SourceUnavailable`; what is not there is empty.
    """

    def folders(self, path: str) -> Sequence[str]:
        """Names of the folders in a folder (`""`: the outermost one)."""

    def files(self, path: str) -> Sequence[StoredFile]:
        """The files of a folder."""

    def files_below(self, path: str) -> Mapping[str, Sequence[StoredFile]]:
        """The files of each folder of a folder, by that folder's name."""

    def read(self, path: str) -> bytes:
        """A file's bytes.

        Raises:
            EtterError: `PAYLOAD_TOO_LARGE`.
        """


class LayoutDocuments:
    """Documents of a storage.

    Args:
        source: The storage's name in listings.
        storage: Where the files are.
    """

    def __init__(self, source: str, storage: Storage) -> None:
        self._source = source
        self._storage = storage

    def get_document(self, company: str, role: str, type: DocumentType) -> DocumentRef | None:
        """The role's document of one type, in the best of its formats."""
        folder, chosen = self._chosen(company, role)
        return self._read(folder, chosen[type], type) if type in chosen else None

    def has_document(self, company: str, role: str, type: DocumentType) -> bool:
        """Whether there is one; it is not read."""
        return type in self._chosen(company, role)[1]

    def get_documents_for_role(self, company: str, role: str) -> list[DocumentRef]:
        """All documents of the role, one per type."""
        folder, chosen = self._chosen(company, role)
        return [
            self._read(folder, chosen[type_], type_) for type_ in DocumentType if type_ in chosen
        ]

    def companies_with_documents(self) -> list[str]:
        """Names of the companies that have a folder."""
        return sorted(_by_name(self._storage.folders("")))

    def list_documents(self, company: str) -> list[DocumentListing]:
        """All documents of the company, with their versions."""
        name = normalize_name(company)
        folder = self._storage_name("", name)
        below = self._storage.files_below(folder) if folder else {}
        return [
            self._listing(name, role, type_, f"{folder}/{role_folder}", file)
            for role, role_folder in _by_name(below).items()
            for type_, file in _chosen(below[role_folder]).items()
        ]

    def probe(self, most: int | None = None) -> None:
        """Asks for the outermost folders; as `Probed.probe`."""
        self._storage.folders("")

    def _listing(
        self, company: str, role: str, type_: DocumentType, folder: str, file: StoredFile
    ) -> DocumentListing:
        key = f"{folder}/{file.name}"
        return DocumentListing(
            company=company,
            role=role,
            type=type_,
            source=self._source,
            key=key,
            fingerprint=fingerprint_of(self._source, key, *file.version),
            name=file.name,
        )

    def _chosen(self, company: str, role: str) -> tuple[str, dict[DocumentType, StoredFile]]:
        """The role's folder and its documents; ours is looked for before any is searched."""
        ours = f"{encoded_name(company)}/{encoded_name(role)}"
        if files := self._storage.files(ours):
            return ours, _chosen(files)
        company_folder = self._storage_name("", normalize_name(company))
        if company_folder is None:
            return "", {}
        role_folder = self._storage_name(company_folder, normalize_name(role))
        if role_folder is None:
            return "", {}
        path = f"{company_folder}/{role_folder}"
        return path, _chosen(self._storage.files(path))

    def _storage_name(self, parent: str, name: str) -> str | None:
        return _by_name(self._storage.folders(parent)).get(name)

    def _read(self, folder: str, file: StoredFile, type_: DocumentType) -> DocumentRef:
        try:
            data = self._storage.read(f"{folder}/{file.name}")
        except HttpStatus as error:
            if error.status not in _ALONE:
                raise
            # The storage listed it a moment ago, so it answers: this file is gone, or closed to us.
            raise DocumentUnavailable(
                f"{file.name}: {error.message}", retry_after=error.retry_after or 0
            ) from None
        return DocumentRef(type=type_, content=document_text(data, file.name), name=file.name)


def encoded_name(name: str) -> str:
    """A company or role name as the name of a folder.

    Args:
        name: The name.
    """
    encoded = quote(normalize_name(name), safe="")
    # `.` is never quoted, and these two are no names of folders.
    return encoded.replace(".", "%2E") if encoded in (".", "..") else encoded


def decoded_name(folder: str) -> str:
    """The company's or role's name that a folder's name stands for.

    Args:
        folder: The folder's name.
    """
    return normalize_name(unquote(folder))


def layout_company(path: str) -> str | None:
    """The company whose document a path is, or None for a path outside the layout.

    Args:
        path: From the outermost folder on.
    """
    parts = path.split("/")
    return decoded_name(parts[0]) if len(parts) == 3 and _is_document(parts[2]) else None


def _is_document(file_name: str) -> bool:
    return PurePosixPath(file_name).stem in _TYPES


def _by_name(folders: Iterable[str]) -> dict[str, str]:
    """Folders by the names they stand for; of several for one name ours, else the first."""
    found: dict[str, str] = {}
    for folder in sorted(folders):
        name = decoded_name(folder)
        if name_problem("folder", name) is None:
            if folder == encoded_name(name):
                found[name] = folder
            else:
                found.setdefault(name, folder)
    return found


def _chosen(files: Iterable[StoredFile]) -> dict[DocumentType, StoredFile]:
    """Per type the file in the best of its formats."""
    chosen: dict[DocumentType, StoredFile] = {}
    for file in sorted(files, key=_preference):
        if _is_document(file.name):
            chosen.setdefault(DocumentType(PurePosixPath(file.name).stem), file)
    return chosen


def _preference(file: StoredFile) -> tuple[int, str]:
    suffix = PurePosixPath(file.name).suffix.lower()
    return _RANKS.get(suffix, len(_RANKS)), file.name
