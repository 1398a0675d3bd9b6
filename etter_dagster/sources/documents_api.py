"""The platform's documents API: what a company has of a role, and the text of the chosen one.

A token sees one company's documents. Links live 300 s, so each is asked for when its text is
needed. Which document is the JD is decided in `choice.py`.
"""

from __future__ import annotations

from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from etter_dagster.model.documents import DocumentRef, DocumentType
from etter_dagster.model.errors import DocumentUnavailable
from etter_dagster.model.identity import normalize_name
from etter_dagster.sources.choice import ListedDocument, chosen_documents
from etter_dagster.sources.companies import CompaniesFile
from etter_dagster.sources.http_api import HttpApi, HttpStatus
from etter_dagster.sources.protocols import DocumentListing, fingerprint_of
from etter_dagster.sources.text import MAX_FILE_BYTES, document_text

PATH = "/api/documents/"
PAGE_SIZE = 100
MAX_DOCUMENTS_LISTED = 500_000
TRIES = 2  # of a list that changes while it is read; of a link that has just run out
SOURCE = "documents_api"
_EXPIRED = (401, 403, 404, 410)  # what storages answer to a link that is over
_GONE = (404, 410)  # what the API answers of a document that it listed a moment ago


class _Documents(BaseModel):
    documents: list[ListedDocument]
    count: int
    limit: int | None = None  # less than asked for, where the API allows less


class _List(BaseModel):
    data: _Documents


class _Download(BaseModel):
    url: str = Field(min_length=1)


class _Detail(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)  # a link is a key to the document

    download: _Download


class DocumentsApi:
    """Reads the API.

    Args:
        api: The API.
        companies: Their tokens.
        token: For companies that have none of their own; without a file, for all.
    """

    def __init__(self, api: HttpApi, companies: CompaniesFile, token: str | None = None) -> None:
        self._api = api
        self._companies = companies
        self._token = token

    def companies_with_documents(self) -> list[str]:
        """Names of the companies of the file."""
        return sorted(self._companies.companies())

    def list_documents(self, company: str) -> list[DocumentListing]:
        """Of each role and type, the chosen document."""
        name = normalize_name(company)
        return [
            _listing(name, role, type_, document)
            for role, types in chosen_documents(self._all(name, None)).items()
            for type_, document in types.items()
        ]

    def get_document(self, company: str, role: str, type: DocumentType) -> DocumentRef | None:
        """The chosen document of one type, with its text."""
        name = normalize_name(company)
        document = self._chosen(name, role).get(type)
        return self._with_text(name, type, document) if document else None

    def has_document(self, company: str, role: str, type: DocumentType) -> bool:
        """Whether there is one; no link is asked for."""
        return type in self._chosen(normalize_name(company), role)

    def get_documents_for_role(self, company: str, role: str) -> list[DocumentRef]:
        """The chosen documents of all types."""
        name = normalize_name(company)
        return [
            self._with_text(name, type_, document)
            for type_, document in self._chosen(name, role).items()
        ]

    def close(self) -> None:
        """Closes the connections to the API."""
        self._api.close()

    def probe(self, most: int | None = None) -> None:
        """Asks for one document with each company's token; as `Probed.probe`."""
        for company in self.companies_with_documents()[:most] or [""]:
            token, whose = self._token_of(company)
            if whose is not None:
                self._page({"status": "ready", "limit": 1, "offset": 0}, token, whose)

    def _chosen(self, company: str, role: str) -> dict[DocumentType, ListedDocument]:
        wanted = normalize_name(role)
        chosen = chosen_documents(self._all(company, wanted)).get(wanted)
        if chosen is None:
            # Before we say that there is none: the filter compares in its own way, without NFC.
            chosen = chosen_documents(self._all(company, None)).get(wanted)
        return chosen or {}

    def _all(self, company: str, role: str | None) -> list[ListedDocument]:
        token, whose = self._token_of(company)
        if whose is None:
            return []
        for _ in range(TRIES):
            documents = self._read(token, whose, role)
            if documents is not None:
                return documents
        raise self._api.wrong(f"holds fewer documents of {company} than it counts")

    def _token_of(self, company: str) -> tuple[str | None, str | None]:
        """The token, and where it comes from (None: this company is not known here)."""
        known = self._companies.companies().get(company)
        if known is None and self._companies.configured:
            return None, None
        if known is not None and known.documents_token is not None:
            whose = f"documents_token of {company} in ETTER_COMPANIES_FILE"
            return known.documents_token.get_secret_value(), whose
        return self._token, "ETTER_DOCUMENTS_API_TOKEN"

    def _read(self, token: str | None, whose: str, role: str | None) -> list[ListedDocument] | None:
        """All pages; None if they do not make up what the API counts.

        `count` may be of all documents or of the page: both are understood.
        """
        found: list[ListedDocument] = []
        total = 0
        while len(found) <= MAX_DOCUMENTS_LISTED:
            params: dict[str, str | int] = {
                "status": "ready",
                "limit": PAGE_SIZE,
                "offset": len(found),
            }
            if role is not None:
                params["roles"] = role
            page = self._page(params, token, whose)
            found += page.documents
            if page.count > len(page.documents):
                total = max(total, page.count)
            if not page.documents or (total and len(found) >= total):
                break
            if not total and len(page.documents) < min(PAGE_SIZE, page.limit or PAGE_SIZE):
                break
        ids = {document.id for document in found}
        return found if len(ids) == len(found) and len(found) == (total or len(found)) else None

    def _page(self, params: dict[str, str | int], token: str | None, whose: str) -> _Documents:
        body = self._api.get(PATH, params, token=token, whose=whose)
        try:
            page = _List.model_validate(body).data
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise self._api.wrong(f"is not a list of documents (at {where})") from None
        if page.count < len(page.documents):
            raise self._api.wrong("holds more documents than it counts")
        return page

    def _with_text(
        self, company: str, type_: DocumentType, document: ListedDocument
    ) -> DocumentRef:
        name = document.original_filename or document.id
        for last in (False, True):
            link = self._link(company, document)
            try:
                file = self._api.download(link, MAX_FILE_BYTES)
                break
            except HttpStatus as error:
                if error.status not in _EXPIRED:
                    raise
                if last:
                    raise _alone(error) from None
        said = document.observed_content_type or file.content_type
        content = document_text(file.data, name, said)
        return DocumentRef(type=type_, content=content, name=name)

    def _link(self, company: str, document: ListedDocument) -> str:
        token, whose = self._token_of(company)
        try:
            body = self._api.get(
                PATH + quote(document.id, safe=""),
                {"generate_download_url": "true"},
                token=token,
                whose=whose or "ETTER_DOCUMENTS_API_TOKEN",
            )
        except HttpStatus as error:
            raise _alone(error) if error.status in _GONE else error from None
        try:
            return _Detail.model_validate(body).download.url
        except ValidationError:
            raise self._api.wrong("holds no download link") from None


def _alone(error: HttpStatus) -> DocumentUnavailable:
    return DocumentUnavailable(error.message, retry_after=error.retry_after or 0)


def _listing(
    company: str, role: str, type_: DocumentType, document: ListedDocument
) -> DocumentListing:
    return DocumentListing(
        company=company,
        role=role,
        type=type_,
        source=SOURCE,
        key=document.id,
        fingerprint=fingerprint_of(SOURCE, document.id, *document.version),
        name=document.original_filename,
    )
