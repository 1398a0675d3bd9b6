"""Text out of a Word document: its directory is looked at before anything is unpacked."""

from __future__ import annotations

import io
import zipfile
from typing import Any
from xml.parsers import expat

import mammoth

from etter_dagster.extraction import html
from etter_dagster.extraction.verdicts import MIB, Unreadable

_DOCUMENT = "word/document.xml"
_OTHERS = {
    "xl/workbook.xml": "is a spreadsheet; save its text as a Word document or PDF",
    "ppt/presentation.xml": "is a presentation; save it as a PDF",
}
_MAX_ENTRIES = 2000
_MAX_UNPACKED = 100 * MIB
_MAX_XML = 20 * MIB  # of one part that is read; as a tree it takes some thirty times that
_MAX_RATIO = 200  # of a whole file; Word's own XML packs 5 to 40 times
_RATIO_FROM = MIB  # what unpacks to less may have any ratio
_ENCRYPTED = 0x1
_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='List Bullet'] => ul > li:fresh
p[style-name='List Number'] => ol > li:fresh
"""  # a list by its style alone has no numbering that would tell
_BOMB = "unpacks to far more than a document needs; open it and save it anew"


def text(data: bytes) -> str:
    """The document as Markdown.

    Args:
        data: The DOCX.

    Raises:
        Unreadable: It is no Word document, broken, encrypted, or made to do harm.
        TooMuchText: It holds too much text.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_directory(archive)
            _check_parts(archive)
        # Pictures are not read, so that none is unpacked.
        page = mammoth.convert_to_html(
            io.BytesIO(data),
            style_map=_STYLES,
            include_embedded_style_map=False,
            convert_image=mammoth.images.img_element(_no_picture),
        )
    except (Unreadable, MemoryError):
        raise
    except Exception as error:  # a broken document makes mammoth raise whatever its XML lacks
        raise Unreadable(
            f"is a broken Word document ({type(error).__name__}); open it and save it anew"
        ) from None
    found = html.text(page.value.encode())
    if not found:
        raise Unreadable("holds no text; give the document that describes the role")
    return found


def _no_picture(_: Any) -> dict[str, str]:
    return {}


def _check_directory(archive: zipfile.ZipFile) -> None:
    """By the directory alone: nothing is unpacked yet."""
    entries = archive.infolist()
    names = {entry.filename for entry in entries}
    if _DOCUMENT not in names:
        for name, what in _OTHERS.items():
            if name in names:
                raise Unreadable(what)
        raise Unreadable("is a zip archive and no Word document; give the document itself")
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise Unreadable("is encrypted; save a copy without a password")
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if (
        len(entries) > _MAX_ENTRIES
        or len(names) < len(entries)
        or unpacked > _MAX_UNPACKED
        or (unpacked > _RATIO_FROM and unpacked > _MAX_RATIO * packed)
    ):
        raise Unreadable(_BOMB)


def _check_parts(archive: zipfile.ZipFile) -> None:
    for entry in archive.infolist():
        if entry.filename.lower().endswith((".xml", ".rels")):
            if entry.file_size > _MAX_XML:
                raise Unreadable(_BOMB)
            # Whatever its encoding: expat itself says whether there is a DOCTYPE. zipfile gives
            # no more than the directory promised, and fails where there is more.
            parser = expat.ParserCreate()
            parser.StartDoctypeDeclHandler = _refuse_doctype
            with archive.open(entry) as part:
                parser.ParseFile(part)


def _refuse_doctype(*_: Any) -> None:
    raise Unreadable("holds an XML document type, which Word never writes; save it anew in Word")
