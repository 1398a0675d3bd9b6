"""Text out of a document's bytes: Markdown, plain text, HTML. Bounded in size.

Where the bytes come from is not known here.
"""

from __future__ import annotations

import codecs
import io
from pathlib import PurePosixPath

from bs4 import BeautifulSoup
from markdownify import MarkdownConverter

from etter_dagster.model.documents import MAX_DOCUMENT_BYTES
from etter_dagster.model.errors import ErrorCode, EtterError, FieldProblem, ValidationFailed

MAX_FILE_BYTES = 20 * 1024 * 1024  # of a file or download, before its text is taken out
# In order of preference where a role has the same document in several formats.
TEXT_SUFFIXES = (".md", ".markdown", ".txt", ".text", ".html", ".htm")
_HTML_SUFFIXES = (".html", ".htm")
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_MAGIC = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a Word document or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
}
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def document_text(
    data: bytes, name: str, content_type: str | None = None, *, field: str = "documents"
) -> str:
    """The text of a document; HTML becomes Markdown.

    Args:
        data: The document.
        name: Its file name or path, for the format and the error.
        content_type: What the server said, if one did; it goes before the name.
        field: The field to blame.

    Raises:
        ValidationFailed: The format is not read, or the text is not UTF-8.
        EtterError: `PAYLOAD_TOO_LARGE` over 20 MiB, or over 2 MiB of text.
    """
    path = PurePosixPath(name)
    check_file_size(len(data), path.name, field=field)
    for magic, what in _MAGIC.items():
        if data.startswith(magic):
            raise _refused(
                field,
                path.name,
                f"is {what}, which this version does not read; "
                "convert it to Markdown, plain text or HTML",
            )
    media_type, _, parameters = (content_type or "").lower().partition(";")
    text = _decoded(data, _charset(parameters), field, path.name)
    is_html = media_type.strip() in _HTML_TYPES or (
        not media_type.strip().startswith("text/") and path.suffix.lower() in _HTML_SUFFIXES
    )
    if is_html:
        text = _markdown(text, field, path.name)
    if (size := len(text.encode())) > MAX_DOCUMENT_BYTES:
        raise EtterError(
            ErrorCode.PAYLOAD_TOO_LARGE,
            f"{field}: {path.name} holds {size} bytes of text; "
            f"at most {MAX_DOCUMENT_BYTES} are allowed",
            fields=[FieldProblem(field, "shorten or split the document")],
        )
    return text


def check_file_size(size: int, name: str, *, field: str) -> None:
    """Refuses a file that is too large to be looked at.

    Raises:
        EtterError: `PAYLOAD_TOO_LARGE`.
    """
    if size > MAX_FILE_BYTES:
        raise EtterError(
            ErrorCode.PAYLOAD_TOO_LARGE,
            f"{field}: {name} has {size} bytes; at most {MAX_FILE_BYTES} are allowed",
            fields=[FieldProblem(field, "shorten or split the document")],
        )


def _refused(field: str, name: str, message: str) -> ValidationFailed:
    return ValidationFailed(FieldProblem(field, f"{name} {message}"))


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        key, _, value = parameter.partition("=")
        if key.strip() == "charset":
            try:
                return codecs.lookup(value.strip(" \"'")).name
            except LookupError:
                break
    return "utf-8"


def _decoded(data: bytes, charset: str, field: str, name: str) -> str:
    encoding = next((codec for bom, codec in _BOMS.items() if data.startswith(bom)), charset)
    try:
        text = data.decode(encoding)
        text.encode()  # some charsets can smuggle lone surrogates in
    except (UnicodeError, LookupError):
        raise _refused(field, name, "is not text in UTF-8; save it as UTF-8") from None
    if "\0" in text:
        raise _refused(field, name, "holds NUL characters, so it is not text; give its text")
    return text


def _markdown(html: str, field: str, name: str) -> str:
    try:
        soup = BeautifulSoup(io.StringIO(html), "html.parser")
        for tag in soup(["script", "style", "noscript", "template", "title"]):
            tag.decompose()
        return str(MarkdownConverter(heading_style="ATX", bullets="-").convert_soup(soup)).strip()
    except RecursionError:
        raise _refused(field, name, "is nested too deeply; give its text") from None
