"""Where a page's labels are drawn, and where they are written: as its content says."""

from __future__ import annotations

import io

import pypdf
import pytest
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from etter_dagster.extraction.pdf_lists import text_of_page

SHAPE = "0 0 5 5 re f"


def page(*content: str) -> pypdf.PageObject:
    """A page whose content is written here."""
    writer = pypdf.PdfWriter()
    made = writer.add_blank_page(300, 300)
    stream = DecodedStreamObject()
    stream.set_data("\n".join(content).encode())
    made[NameObject("/Contents")] = writer._add_object(stream)
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    names = DictionaryObject({NameObject(k): NameObject(v) for k, v in font.items()})
    fonts = DictionaryObject({NameObject("/F"): names})
    made[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    saved = io.BytesIO()
    writer.write(saved)
    return pypdf.PdfReader(saved).pages[0]


def line(text: str, at: int) -> str:
    return f"BT /F 12 Tf 1 0 0 1 20 {at} Tm ({text}) Tj ET"


def label(*content: str) -> str:
    return " ".join(("/Lbl <</MCID 0>> BDC", *content, "EMC"))


def test_a_drawn_label_is_a_bullet_before_its_line_alone() -> None:
    text = text_of_page(
        page(line("Duties", 200), label(SHAPE), line("Weld", 180), line("End", 160))
    )
    assert text.split("\n") == ["Duties", "• Weld", "End"]


def test_a_written_label_stays_as_it_is_written() -> None:
    text = text_of_page(page(label(line("1.", 180)), line("Weld", 160)))
    assert text.split("\n") == ["1.", "Weld"]


@pytest.mark.parametrize(
    "inner", ["/Span <</MCID 1>> BDC " + SHAPE + " EMC", "/Artifact BMC " + SHAPE + " EMC"]
)
def test_marked_content_inside_a_label_does_not_end_it(inner: str) -> None:
    assert text_of_page(page(label(inner, SHAPE), line("Weld", 180))) == "• Weld"
    written = label(inner, line("a", 180))
    assert "•" not in text_of_page(page(written, line("Weld", 160)))


def test_shapes_outside_a_label_are_no_bullets() -> None:
    assert text_of_page(page(SHAPE, "/P <</MCID 0>> BDC", line("Weld", 180), "EMC")) == "Weld"


def test_content_that_never_ends_a_label_is_read_all_the_same() -> None:
    assert text_of_page(page("EMC", "/Lbl <</MCID 0>> BDC", line("Weld", 180))) == "Weld"
