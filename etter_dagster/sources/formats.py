"""What format a document has, and which formats can be read. Pure."""

from __future__ import annotations

from enum import Enum
from pathlib import PurePosixPath


class Format(str, Enum):
    """A format that can be read."""

    TEXT = "text"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"


READ = "PDF, DOCX, HTML, Markdown or text"
# In order of preference where a folder has the same document in several formats: the plainest.
SUFFIXES = {
    ".md": Format.TEXT,
    ".markdown": Format.TEXT,
    ".txt": Format.TEXT,
    ".text": Format.TEXT,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".docx": Format.DOCX,
    ".pdf": Format.PDF,
}
_TYPES = {
    "text/html": Format.HTML,
    "application/xhtml+xml": Format.HTML,
    "application/pdf": Format.PDF,
    "application/x-pdf": Format.PDF,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": Format.DOCX,
}
_ZIP_TYPES = ("application/zip", "application/x-zip-compressed")  # what a DOCX looks like
# ZIP archives as DOCX is, but with no text of a document in them that is read.
_OTHER_ZIPS = frozenset((".xlsx", ".xlsm", ".pptx", ".odt", ".ods", ".odp", ".epub", ".zip"))
_PDF, _ZIP = b"%PDF-", b"PK\x03\x04"
_PDF_WITHIN = 1024  # readers accept what stands before it, e.g. a byte order mark
_REFUSED = {
    b"\xd0\xcf\x11\xe0": "is an old or an encrypted Office document; save it as DOCX without a "
    "password",
    b"{\\rtf": "is RTF; save it as DOCX or PDF",
    b"\x89PNG": "is an image; give its text",
    b"\xff\xd8\xff": "is an image; give its text",
    b"GIF8": "is an image; give its text",
    b"II*\0": "is an image; give its text",
    b"MM\0*": "is an image; give its text",
}


def said_format(name: str, content_type: str | None) -> Format | None:
    """The format by what is said of a document, or None if it is none that can be read.

    A type that says nothing (`application/octet-stream`) leaves it to the name.

    Args:
        name: Its file name.
        content_type: Its media type, if somebody said one.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type in _TYPES:
        return _TYPES[media_type]
    if media_type in _ZIP_TYPES and name.lower().endswith(".docx"):
        return Format.DOCX
    if media_type.startswith("text/"):
        return Format.TEXT
    if media_type not in ("", "application/octet-stream", "binary/octet-stream"):
        return None
    return SUFFIXES.get(PurePosixPath(name).suffix.lower())


def found_format(data: bytes, name: str, content_type: str | None) -> Format | str:
    """The format of a document at hand: its own bytes go before what is said of it.

    Args:
        data: The document.
        name: Its file name.
        content_type: Its media type, if somebody said one.

    Returns:
        The format, or why it cannot be read, to go on after the document's name.
    """
    if _PDF in data[:_PDF_WITHIN]:
        return Format.PDF
    if data.startswith(_ZIP):
        if PurePosixPath(name).suffix.lower() in _OTHER_ZIPS:
            return f"is not supported; give {READ}"
        return Format.DOCX
    for magic, reason in _REFUSED.items():
        if data.startswith(magic):
            return reason
    said = said_format(name, content_type) or Format.TEXT
    if said in (Format.PDF, Format.DOCX):
        return f"is no {said.name}, whatever it is called; give the document itself"
    return said
