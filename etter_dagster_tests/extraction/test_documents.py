"""Text out of real PDF, DOCX and HTML, and what becomes of those made to do harm."""

from __future__ import annotations

import zlib

import pytest

from etter_dagster.extraction.pool import text_of
from etter_dagster.extraction.verdicts import MAX_PAGES, TooMuchText, Unreadable
from etter_dagster_tests import papers

MIB = 1024 * 1024


def test_a_pdf_gives_its_lines() -> None:
    assert text_of("pdf", papers.pdf()).splitlines() == list(papers.LINES)


def test_all_pages_of_a_pdf_are_read() -> None:
    text = text_of("pdf", papers.pdf_of([papers.page_content([f"page {n}"]) for n in range(20)]))
    assert text.splitlines() == [f"page {n}" for n in range(20)]


def test_a_packed_pdf_is_unpacked() -> None:
    packed = zlib.compress(papers.page_content(papers.LINES))
    assert "Review claims" in text_of("pdf", papers.pdf_of([packed], filters="/FlateDecode"))


def test_a_pdf_that_only_forbids_printing_is_read() -> None:
    """Such a PDF is encrypted with an empty password; every viewer opens it."""
    assert "Review claims" in text_of("pdf", papers.encrypted_pdf(opens_without=True))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (papers.encrypted_pdf(), "is encrypted; save a copy without a password"),
        (papers.pdf([]), "holds no text, only pictures"),
        (
            papers.pdf(["x"], pages=MAX_PAGES + 1),
            rf"has {MAX_PAGES + 1} pages; at most {MAX_PAGES}",
        ),
        (papers.pdf()[:-200], "is a broken PDF|holds no text"),
        (b"%PDF-1.7 and then nothing", "is a broken PDF"),
        (papers.pdf_with_looping_pages(), "unpacks|is a broken PDF|holds no text|takes more"),
    ],
    ids=["encrypted", "scan", "pages", "cut", "empty", "loop"],
)
def test_a_pdf_that_cannot_be_read_says_why_and_what_helps(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        text_of("pdf", data)


def test_a_pdf_bomb_is_not_unpacked() -> None:
    """100 MiB out of a few kilobytes; a petabyte is as easy."""
    bomb = papers.pdf_bomb()
    assert len(bomb) < 50_000
    with pytest.raises(Unreadable, match="unpacks to far more"):
        text_of("pdf", bomb)


def test_a_stream_that_lies_about_its_length_is_refused() -> None:
    data = papers.pdf_of([papers.page_content(papers.LINES)], length=10**12)
    with pytest.raises(Unreadable, match="unpacks to far more"):
        text_of("pdf", data)


def test_a_word_document_becomes_markdown() -> None:
    assert text_of("docx", papers.docx()) == (
        "# Claims Adjuster\n\n# Key Responsibilities\n\n- Review claims\n- Talk to customers"
    )


@pytest.mark.parametrize(
    ("style", "marks"), [("ListBullet", ("-", "-")), ("ListNumber", ("1.", "2."))]
)
def test_a_list_by_its_style_alone_is_a_list(style: str, marks: tuple[str, str]) -> None:
    items = ["File tax returns", "Answer letters"]
    text = text_of("docx", papers.docx("".join(papers.paragraph(i, style=style) for i in items)))
    assert text.splitlines() == [f"{mark} {item}" for mark, item in zip(marks, items, strict=True)]


def test_a_word_document_keeps_what_markdown_would_escape() -> None:
    text = text_of("docx", papers.docx(papers.paragraph("50% & more, <b> at C# and Söhne")))
    assert text == "50% & more, <b> at C# and Söhne"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (papers.docx_bomb(), "unpacks to far more than a document needs"),
        (papers.docx_with_doctype(), "XML document type"),
        (papers.docx_with_doctype("utf-16"), "XML document type"),
        (papers.docx(parts={"customXml/a.xml": b"<!DOCTYPE a><a/>"}), "XML document type"),
        (papers.docx(parts={f"word/{n}.bin": b"x" for n in range(2001)}), "unpacks to far more"),
        (papers.docx("<w:p>"), "is a broken Word document"),
        (papers.docx()[:300], "is a broken Word document"),
        (papers.docx(""), "holds no text"),
        (papers.docx(parts={"word/document.xml": b""}), "is a zip archive and no Word document"),
        (papers.zipped({"xl/workbook.xml": b"<a/>"}), "is a spreadsheet"),
        (papers.zipped({"ppt/presentation.xml": b"<a/>"}), "is a presentation"),
    ],
    ids=[
        "bomb",
        "doctype",
        "doctype in UTF-16",
        "doctype elsewhere",
        "entries",
        "XML",
        "cut",
        "no text",
        "zip",
        "spreadsheet",
        "slides",
    ],
)
def test_a_word_document_that_cannot_be_read_says_why_and_what_helps(
    data: bytes, reason: str
) -> None:
    with pytest.raises(Unreadable, match=reason):
        text_of("docx", data)


def test_a_directory_that_lies_about_sizes_is_not_believed() -> None:
    """The directory says 10 bytes, the stream holds megabytes."""
    data = bytearray(papers.docx(papers.paragraph("x" * MIB)))
    entry = data.rindex(b"word/document.xml") - 46
    assert data[entry : entry + 4] == b"PK\x01\x02"
    data[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    with pytest.raises(Unreadable, match="is a broken Word document"):
        text_of("docx", bytes(data))


def test_a_page_becomes_markdown_without_scripts_and_pictures() -> None:
    page = "<h1>Bäcker</h1><img src='data:x' alt='logo'><script>evil()</script><ul><li>Teig</ul>"
    assert text_of("html", page.encode()) == "# Bäcker\n\n- Teig"


def test_too_much_text_is_told_from_a_broken_document() -> None:
    with pytest.raises(TooMuchText):
        text_of("html", b"<p>" + b"word " * (MIB // 2) + b"</p>")
    with pytest.raises(TooMuchText):
        text_of("pdf", papers.pdf_of([papers.page_content(["x" * 1000] * 250)] * 12))
