"""Real documents made for tests: PDF and DOCX, good ones and those that are made to do harm."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

import pypdf

LINES = ("Claims Adjuster", "Key Responsibilities", "- Review claims", "- Talk to customers")
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MIB = 1024 * 1024


def pdf(lines: Sequence[str] = LINES, *, pages: int = 1) -> bytes:
    """A PDF of so many pages, each with these lines."""
    return pdf_of([page_content(lines)] * pages)


def page_content(lines: Iterable[str]) -> bytes:
    shown = b"".join(
        b"(%s) Tj T* " % line.encode("latin-1").replace(b"(", rb"\(").replace(b")", rb"\)")
        for line in lines
    )
    return b"BT /F1 12 Tf 72 720 Td 14 TL " + shown + b"ET"


def pdf_of(contents: Sequence[bytes], *, filters: str = "", length: int | None = None) -> bytes:
    """A PDF with these page contents.

    Args:
        contents: What the pages draw, encoded by `filters`.
        filters: The value of `/Filter`.
        length: What the streams say of their length, if it is not true.
    """
    first = 4
    kids = " ".join(f"{first + 2 * n} 0 R" for n in range(len(contents)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    said = f" /Filter {filters}" if filters else ""
    for n, content in enumerate(contents):
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            b"/Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>" % (first + 2 * n + 1),
            f"<< /Length {length or len(content)}{said} >>\nstream\n".encode()
            + content
            + b"\nendstream",
        ]
    return _numbered(objects)


def _numbered(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    begin = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % begin)


def pdf_bomb(unpacked: int = 100 * _MIB) -> bytes:
    """A small PDF whose page unpacks to so many bytes, packed twice."""
    packer = zlib.compressobj(9)
    block = b"(x) Tj " * (_MIB // 7)
    packed = b"".join(packer.compress(block) for _ in range(unpacked // len(block)))
    return pdf_of(
        [zlib.compress(packed + packer.flush(), 9)], filters="[/FlateDecode /FlateDecode]"
    )


def pdf_with_looping_pages() -> bytes:
    """Its page tree is its own child."""
    return _numbered(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>",
        ]
    )


def encrypted_pdf(*, opens_without: bool = False) -> bytes:
    """Needs a password, or, as a "print only" PDF, opens with an empty one."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf()))
    password = "" if opens_without else "sesame"
    writer.encrypt(user_password=password, owner_password="owner", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def docx(body: str | None = None, *, parts: Mapping[str, bytes] | None = None) -> bytes:
    """A Word document.

    Args:
        body: The XML within `w:body`; by default a title, a heading and two list items.
        parts: Parts added to or put in place of the usual ones; empty bytes take one out.
    """
    if body is None:
        body = (
            paragraph("Claims Adjuster", style="Title")
            + paragraph("Key Responsibilities", style="Heading1")
            + "".join(paragraph(text, item=True) for text in ("Review claims", "Talk to customers"))
        )
    content_types = (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    named = {
        "[Content_Types].xml": content_types,
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{_OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        f'<Relationship Id="r2" Type="{_OFFICE}/numbering" Target="numbering.xml"/>'
        "</Relationships>",
        "word/document.xml": f'<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>',
        "word/styles.xml": f'<w:styles xmlns:w="{_WORD}">'
        + "".join(
            f'<w:style w:type="paragraph" w:styleId="{style}"><w:name w:val="{name}"/></w:style>'
            for style, name in (
                ("Title", "Title"),
                ("Heading1", "heading 1"),
                ("ListBullet", "List Bullet"),
                ("ListNumber", "List Number"),
            )
        )
        + "</w:styles>",
        "word/numbering.xml": f'<w:numbering xmlns:w="{_WORD}"><w:abstractNum '
        'w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>',
    }
    files = {name: text.encode() for name, text in named.items()} | dict(parts or {})
    return zipped({name: data for name, data in files.items() if data})


def paragraph(text: str, *, style: str = "", item: bool = False) -> str:
    properties = f'<w:pStyle w:val="{style}"/>' if style else ""
    if item:
        properties += '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{escape(text)}</w:t></w:r></w:p>"


def zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def docx_bomb(unpacked: int = 300 * _MIB) -> bytes:
    """A small document whose picture unpacks to so many bytes."""
    return docx(parts={"word/media/image1.png": bytes(unpacked)})


def docx_with_doctype(encoding: str = "utf-8") -> bytes:
    """Its entities would blow up to gigabytes ("billion laughs")."""
    entities = '<!ENTITY a0 "lol">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)
    )
    document = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE w [{entities}]>'
        f'<w:document xmlns:w="{_WORD}"><w:body>{paragraph("x")}&a11;</w:body></w:document>'
    )
    return docx(parts={"word/document.xml": document.encode(encoding)})
