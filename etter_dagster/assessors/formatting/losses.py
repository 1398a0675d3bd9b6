"""Which sentences of a text another one lacks: how a reformatted text is checked."""

from __future__ import annotations

from collections.abc import Iterator

from etter_dagster.assessors.exposure.cleaning import clean
from etter_dagster.assessors.exposure.layout import Kind, blocks
from etter_dagster.assessors.exposure.sentences import sentences
from etter_dagster.assessors.formatting.places import says_no_more


def lost_sentences(before: str, after: str) -> list[str]:
    """The sentences, items and headings of `before` that `after` lacks, in order.

    Only letters and digits count, in their order: marks, case and white space may differ. Headings
    that say no more than those of a JD may go.
    """
    kept = _folded(clean(after))
    wanted = (text for text in _sentences(before) if not says_no_more(text))
    return [text for text in wanted if _folded(text) not in kept]


def _sentences(text: str) -> Iterator[str]:
    for block in blocks(clean(text)):
        if block.kind is Kind.ROW:
            yield from block.cells
        elif block.kind is not Kind.HEADING:
            yield from sentences(block.text)
        else:
            yield block.text.lstrip("0123456789.() ")


def _folded(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
