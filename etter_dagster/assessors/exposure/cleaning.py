"""What a document's text is before its lines mean anything: line ends, spaces, no HTML.

Every pattern here runs in time linear in the text; a document may be 2 MiB of anything.
"""

from __future__ import annotations

import html
import re
import unicodedata

_LINE_ENDS = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u2060\ufeff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_ENTITY = re.compile(r"&(?:#\d{1,6}|#[xX][0-9a-fA-F]{1,5}|[a-zA-Z]{2,31});")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,10})(?:[\s/][^<>]{0,1000})?>")
_QUOTED = re.compile(r"^> ?(?!>)", re.MULTILINE)
_COMMENT = re.compile(r"<!--[^<>]{0,5000}-->")
_BLOCK_TAGS = (
    "address article blockquote body br div dl dd dt footer form head header hr html main nav ol p"
    " pre section table tbody tfoot thead tr ul"
)
_INLINE_TAGS = "a abbr b code em font i img kbd label mark s small span strike strong sub sup u"
_MARKS = re.compile(r"\*{1,3}|(?<![^\W_])_{1,3}(?=\S)|(?<=\S)_{1,3}(?![^\W_])|`+|~~")
_FIRST_LETTER = re.compile(r"[^\W\d_]")
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,2000}(?:\s\"[^\"()]{0,200}\")?\)")


def clean(text: str) -> str:
    """The text with line feeds, plain spaces, no invisible characters and no HTML leftovers."""
    text = _SURROGATES.sub("\ufffd", text)
    text = unicodedata.normalize("NFC", text)
    text = _INVISIBLE.sub("", _SPACES.sub(" ", _LINE_ENDS.sub("\n", text)))
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match.group()).replace("\xa0", " "), text)
    if "<" in text:
        text = _TAG.sub(_tag_as_text, _COMMENT.sub("", text))
    if text.count("\n>") * 2 > text.count("\n"):
        text = _QUOTED.sub("", text)
    return _in_sentence_case(text) if text.isupper() else text


def _in_sentence_case(text: str) -> str:
    """A text all in capitals, where capitals say nothing of what is a heading."""
    return "\n".join(
        _FIRST_LETTER.sub(_capital, line.lower(), count=1) for line in text.split("\n")
    )


def _capital(match: re.Match[str]) -> str:
    return match.group().upper()


def readable(text: str) -> str:
    """One line of plain text: no Markdown marks, no links, single spaces."""
    if "[" in text:
        text = _LINK.sub(r"\1", text)
    if any(mark in text for mark in "*_`~"):
        text = _MARKS.sub("", text)
    return " ".join(text.split())


def _tag_as_text(match: re.Match[str]) -> str:
    closing, name = match.group(1), match.group(2).lower()
    if name == "li":
        return "\n" if closing else "\n- "
    if len(name) == 2 and name[0] == "h" and name[1].isdigit():
        return "\n\n" if closing else f"\n\n{'#' * min(int(name[1]) or 1, 6)} "
    if name in ("td", "th"):
        return "" if closing else "\t"
    if name in _BLOCK_TAGS.split():
        return "\n\n" if name != "br" else "\n"
    return "" if name in _INLINE_TAGS.split() else match.group()
