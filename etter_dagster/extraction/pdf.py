"""Text out of a PDF, through pypdf with its limits lowered."""

from __future__ import annotations

import io
from typing import Any

import pypdf
from pypdf.errors import DependencyError, LimitReachedError

from etter_dagster.extraction.pages import text_of_pages
from etter_dagster.extraction.pdf_lists import text_of_page
from etter_dagster.extraction.verdicts import (
    MAX_PAGES,
    MAX_TEXT_BYTES,
    MIB,
    TooMuchText,
    Unreadable,
)

_STREAM = 20 * MIB  # of one stream, unpacked; a page of text has some kilobytes
_LIMITS: dict[str, Any] = {
    "maximum_declared_stream_length": _STREAM,
    "array_based_stream_maximum_output_length": _STREAM,
    "jbig2_maximum_output_length": _STREAM,
    "lzw_maximum_output_length": _STREAM,
    "run_length_maximum_output_length": _STREAM,
    "zlib_maximum_output_length": _STREAM,
    "zlib_maximum_recovery_input_length": MIB,
    "brotli_maximum_output_length": _STREAM,
    "image_maximum_buffer_size": _STREAM,
    "stream_filters_maximum_length": 4,
    "stream_decoding_work_maximum_length": 3 * _STREAM,
    "page_tree_maximum_depth": 50,
    "xform_maximum_invocations_per_extraction": 500,
    "jbig2dec_binary": None,  # no other program is run
}
_ENCRYPTED = "is encrypted; save a copy without a password"


def text(data: bytes) -> str:
    """The text of all pages.

    Args:
        data: The PDF.

    Raises:
        Unreadable: It is broken, encrypted, a scan, or unpacks beyond measure.
        TooMuchText: It holds too much text.
    """
    try:
        with pypdf.apply_configuration(**_LIMITS):
            return _text(data)
    except (Unreadable, TooMuchText, MemoryError):
        raise
    except LimitReachedError:
        raise Unreadable("unpacks to far more than its text needs; print it to a new PDF") from None
    except DependencyError:
        raise Unreadable(_ENCRYPTED) from None
    except Exception as error:  # a broken PDF makes pypdf raise whatever its objects are not
        raise Unreadable(
            f"is a broken PDF ({type(error).__name__}); open it and print it to a new PDF"
        ) from None


def _text(data: bytes) -> str:
    reader = pypdf.PdfReader(
        io.BytesIO(data), root_object_recovery_limit=1000, xref_stream_maximum_entries=200_000
    )
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable(_ENCRYPTED)
    if (count := len(reader.pages)) > MAX_PAGES:
        raise Unreadable(
            f"has {count} pages; at most {MAX_PAGES} are read: give those that describe the role"
        )
    pages, size = [], 0
    for page in reader.pages:
        found = text_of_page(page)
        size += len(found.encode("utf-8", "replace"))
        if size > MAX_TEXT_BYTES:
            raise TooMuchText
        pages.append(found)
    whole = text_of_pages(page.replace("\0", "") for page in pages)
    if not whole.strip():
        raise Unreadable("holds no text, only pictures; run text recognition, or give its text")
    return whole
