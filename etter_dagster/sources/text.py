"""Text out of a document's bytes: Markdown, plain text, HTML, PDF, DOCX. Bounded in size.

Where the bytes come from is not known here; what has more structure than text is read in a
process of its own (`extraction`).
"""

from __future__ import annotations

import asyncio
import codecs
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import PurePosixPath

from etter_dagster.extraction.pool import text_of
from etter_dagster.extraction.verdicts import TooMuchText, Unreadable
from etter_dagster.model.documents import MAX_DOCUMENT_BYTES
from etter_dagster.model.errors import ErrorCode, EtterError, FieldProblem, ValidationFailed
from etter_dagster.sources.formats import Format, found_format

MAX_FILE_BYTES = 20 * 1024 * 1024  # of a file or download, before its text is taken out
# Threads of its own: a document may take a minute, and others would wait for the common ones.
_READERS = ThreadPoolExecutor(8, "documents")
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_META_CHARSET = re.compile(rb"<meta[^>]{1,200}?charset=[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_META_WITHIN = 1024


def document_text(
    data: bytes, name: str, content_type: str | None = None, *, field: str = "documents"
) -> str:
    """The text of a document; what has structure becomes Markdown.

    Args:
        data: The document.
        name: Its file name or path, for the format and the error.
        content_type: What the server said, if one did; it goes before the name.
        field: The field to blame.

    Raises:
        ValidationFailed: The format is not read, the document is broken, encrypted or made to do
            harm, or the text is not UTF-8.
        EtterError: `PAYLOAD_TOO_LARGE` over 20 MiB, or over 2 MiB of text.
    """
    name = PurePosixPath(name).name
    check_file_size(len(data), name, field=field)
    format_ = found_format(data, name, content_type)
    if not isinstance(format_, Format):
        raise _refused(field, name, format_)
    if format_ in (Format.TEXT, Format.HTML):
        text = _decoded(data, _charset(data, format_, content_type), field, name)
        if format_ is Format.TEXT:
            return _checked(text, field, name)
        data = text.encode()
    try:
        return _checked(text_of(format_.value, data), field, name)
    except Unreadable as error:
        raise _refused(field, name, str(error)) from None
    except TooMuchText:
        raise _too_large(f"{field}: {name} holds more text than can be used", field) from None


async def read_document(data: bytes, name: str, content_type: str | None, *, field: str) -> str:
    """`document_text` aside, so that nothing but other documents waits for it."""
    act = partial(document_text, data, name, content_type, field=field)
    return await asyncio.get_running_loop().run_in_executor(_READERS, act)


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


def _checked(text: str, field: str, name: str) -> str:
    if (size := len(text.encode())) > MAX_DOCUMENT_BYTES:
        raise _too_large(f"{field}: {name} holds {size} bytes of text", field)
    return text


def _too_large(message: str, field: str) -> EtterError:
    return EtterError(
        ErrorCode.PAYLOAD_TOO_LARGE,
        f"{message}; at most {MAX_DOCUMENT_BYTES} bytes are allowed",
        fields=[FieldProblem(field, "shorten or split the document")],
    )


def _refused(field: str, name: str, message: str) -> ValidationFailed:
    return ValidationFailed(FieldProblem(field, f"{name} {message}"))


def _charset(data: bytes, format_: Format, content_type: str | None) -> str:
    """What the server says goes before what the page says; UTF-8 where neither does."""
    said = []
    for parameter in (content_type or "").lower().split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip() == "charset":
            said.append(value.strip(" \"'"))
    if format_ is Format.HTML and (found := _META_CHARSET.search(data[:_META_WITHIN])):
        said.append(found[1].decode())
    for name in said:
        try:
            return codecs.lookup(name).name
        except LookupError:
            continue
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
