"""Text out of documents."""

from __future__ import annotations

import asyncio
import threading

import pytest

from etter_dagster.model.errors import ErrorCode, EtterError, ValidationFailed
from etter_dagster.sources import text as reading
from etter_dagster.sources.text import MAX_FILE_BYTES, document_text, read_document
from etter_dagster_tests import papers

PAGE = """<html><head><title>T</title><style>p {color: red}</style></head><body>
<script>alert(1)</script><h1>Baker</h1><p>Bakes &amp; sells.</p>
<ul><li>Mix dough</li></ul></body>"""


@pytest.mark.parametrize("name", ["jd.md", "jd.txt", "jd", "jd.v2", "JD.MARKDOWN"])
def test_text_is_given_as_it_is(name: str) -> None:
    assert document_text("# Bäcker\n- <b>Teig</b>".encode(), name) == "# Bäcker\n- <b>Teig</b>"


def test_html_becomes_markdown_without_scripts_and_styles() -> None:
    text = document_text(PAGE.encode(), "jd.html")
    assert text.startswith("# Baker")
    assert "Bakes & sells." in text
    assert "- Mix dough" in text
    assert "alert" not in text
    assert "color" not in text


def test_html_without_end_tags_keeps_its_text() -> None:
    assert document_text(b"<head><title>T</title><body><p>x", "jd.html") == "x"


def test_the_servers_content_type_goes_before_the_name() -> None:
    assert document_text(b"<p>x</p>", "jd.txt", "text/html; charset=utf-8") == "x"
    assert document_text(b"<p>x</p>", "jd.html", "text/plain") == "<p>x</p>"
    assert document_text(b"<p>x</p>", "jd.html", "application/octet-stream") == "x"


def test_byte_order_marks_and_declared_charsets_are_respected() -> None:
    assert document_text(b"\xef\xbb\xbfx", "a.md") == "x"
    assert document_text("é".encode("utf-16"), "a.md") == "é"
    assert document_text(b"\xe9", "a.txt", "text/plain; charset=ISO-8859-1") == "é"
    assert document_text("é".encode(), "a.txt", "text/plain; charset=nonsense") == "é"


@pytest.mark.parametrize(
    ("data", "remedy"),
    [
        (b"%PDF-1.7 ...", "is a broken PDF .*print it to a new PDF"),
        (b"PK\x03\x04 ...", "is a broken Word document .*save it anew"),
        (b"\x89PNG ...", "is an image; give its text"),
        (b"\xd0\xcf\x11\xe0 ...", "save it as DOCX without a password"),
        (b"{\\rtf1 ...", "save it as DOCX or PDF"),
        (b"caf\xe9", "save it as UTF-8"),
        (b"a\0b", "give its text"),
        (b"<div>" * 5000, "give its text"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_remedy(data: bytes, remedy: str) -> None:
    with pytest.raises(ValidationFailed, match=remedy) as caught:
        document_text(data, "folder/jd.html", field="documents[0]")
    assert caught.value.fields[0].field == "documents[0]"
    assert caught.value.fields[0].message.startswith("jd.html ")


def test_a_page_may_say_its_charset() -> None:
    page = '<html><head><meta charset="windows-1252"></head><p>caf\xe9'.encode("cp1252")
    assert document_text(page, "jd.html") == "caf\xe9"
    assert document_text(page, "jd.html", "text/html; charset=windows-1251") == "caf\u0439"


def test_pdf_and_word_are_known_by_their_bytes_whatever_they_are_called() -> None:
    for name in ("jd.pdf", "jd.docx", "jd", "jd.txt"):
        assert "Review claims" in document_text(papers.pdf(), name)
        assert "- Review claims" in document_text(papers.docx(), name, "application/octet-stream")
    with pytest.raises(ValidationFailed, match=r"jd\.pdf is no PDF, whatever it is called"):
        document_text(b"<p>Log in first</p>", "jd.pdf")


def test_a_document_that_does_harm_names_itself_and_the_remedy() -> None:
    for data, name, remedy in (
        (papers.pdf_bomb(), "bomb.pdf", "print it to a new PDF"),
        (papers.docx_bomb(), "bomb.docx", "save it anew"),
        (papers.encrypted_pdf(), "locked.pdf", "save a copy without a password"),
    ):
        with pytest.raises(ValidationFailed) as caught:
            document_text(data, name, field="documents[2]")
        (problem,) = caught.value.fields
        assert problem.field == "documents[2]"
        assert problem.message.startswith(f"{name} ")
        assert remedy in problem.message


def test_a_text_of_too_many_bytes_within_a_small_file_is_too_large() -> None:
    many = "".join(
        papers.paragraph(" ".join(map(str, range(n * 1000, (n + 1) * 1000)))) for n in range(400)
    )
    with pytest.raises(EtterError) as caught:
        document_text(papers.docx(many), "long.docx")
    assert caught.value.code is ErrorCode.PAYLOAD_TOO_LARGE


@pytest.mark.parametrize("size", [2 * 1024 * 1024 + 1, MAX_FILE_BYTES + 1])
def test_too_much_is_refused(size: int) -> None:
    with pytest.raises(EtterError) as caught:
        document_text(b"x" * size, "a.md")
    assert caught.value.code is ErrorCode.PAYLOAD_TOO_LARGE


def test_exactly_2_mib_are_allowed() -> None:
    assert len(document_text(b"x" * (2 * 1024 * 1024), "a.md")) == 2 * 1024 * 1024


async def test_documents_that_take_long_hold_up_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the common threads, ten slow uploads of one company stopped GraphQL for all."""
    go_on = threading.Event()

    def slowly(*_: object, **__: object) -> str:
        go_on.wait(60)
        return "text"

    monkeypatch.setattr(reading, "document_text", slowly)
    waiting = [
        asyncio.create_task(read_document(b"x", "jd.md", None, field="file")) for _ in range(50)
    ]
    try:
        assert await asyncio.to_thread(lambda: not go_on.is_set())
    finally:
        go_on.set()
    assert set(await asyncio.gather(*waiting)) == {"text"}
