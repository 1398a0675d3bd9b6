"""The text of a PDF's page with the bullets that a browser has drawn instead of written.

Chromium prints a list's bullet as a shape, and tags it as a label (`/Lbl`): in the text alone a
list item looks like any line.
"""

from __future__ import annotations

from typing import Any

from pypdf import PageObject

_BULLET = "• "
_SHOWS_TEXT = (b"Tj", b"TJ", b"'", b'"')


def text_of_page(page: PageObject) -> str:
    """The page's text; a line whose label is drawn begins with a bullet.

    Args:
        page: Of a PDF with tags, or without.
    """
    labels = _Labels()
    plain = page.extract_text(
        visitor_operand_before=labels.operation, visitor_text=labels.text_shown
    )
    # The pieces are the text as it comes; what else pypdf may do to the whole counts more.
    return "".join(labels.marked) if "".join(labels.pieces) == plain else plain


class _Labels:
    """Follows a page's content from label to text."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.marked: list[str] = []
        self._depth = 0  # of marked content, counted from the label
        self._written = False
        self._due = False

    def operation(self, operator: bytes, operands: list[Any], *_: Any) -> None:
        """An operation of the page's content, before it is done."""
        if self._depth:
            self._in_label(operator)
        elif operator == b"BDC" and operands and operands[0] == "/Lbl":
            self._depth, self._written = 1, False

    def _in_label(self, operator: bytes) -> None:
        if operator in (b"BDC", b"BMC"):
            self._depth += 1
        elif operator == b"EMC":
            self._depth -= 1
            self._due = not (self._depth or self._written)
        elif operator in _SHOWS_TEXT:
            self._written = True

    def text_shown(self, text: str, *_: Any) -> None:
        """A piece of the page's text."""
        self.pieces.append(text)
        if self._due and text.strip():
            text, self._due = _BULLET + text.lstrip(), False
        self.marked.append(text)
