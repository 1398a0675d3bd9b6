"""HTML as Markdown."""

from __future__ import annotations

import io

from bs4 import BeautifulSoup
from markdownify import MarkdownConverter

from etter_dagster.extraction.verdicts import MAX_TEXT_BYTES, TooMuchText, Unreadable

_NO_TEXT = ["script", "style", "noscript", "template", "title", "img", "svg", "iframe", "object"]


def text(data: bytes) -> str:
    """The page as Markdown, without scripts, styles and pictures.

    Args:
        data: The page in UTF-8.

    Raises:
        Unreadable: It is nested too deeply.
        TooMuchText: It holds too much text.
    """
    try:
        # As a stream: a short text would be taken for a file's name, with a warning.
        soup = BeautifulSoup(io.StringIO(data.decode()), "html.parser")
        for tag in soup(_NO_TEXT):
            tag.decompose()
        found = MarkdownConverter(heading_style="ATX", bullets="-").convert_soup(soup).strip()
    except RecursionError:
        raise Unreadable("is nested too deeply; give its text") from None
    if len(found.encode()) > MAX_TEXT_BYTES:
        raise TooMuchText
    return str(found)
