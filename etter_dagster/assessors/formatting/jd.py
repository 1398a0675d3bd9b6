"""`format_jd`: a text in the headings of a JD, made by rules."""

from __future__ import annotations

from etter_dagster.assessors.exposure.cleaning import clean
from etter_dagster.assessors.exposure.layout import blocks
from etter_dagster.assessors.formatting.form import is_formatted
from etter_dagster.assessors.formatting.placing import place
from etter_dagster.assessors.formatting.writing import write

DEFAULT_TITLE = "Job Description"


def format_jd(text: str, *, title: str | None = None) -> str:
    """The text under `# Title`, `## Overview`, `## Key Responsibilities` and `## Requirements`.

    Every sentence of the text is in it, also what no heading of a JD has a place for (benefits,
    about us: themes of the overview). A part that the text says nothing of has no heading. A text
    in this form already is given back as it is.

    Args:
        text: Markdown, plain text, or HTML leftovers.
        title: The role's name; taken where the text has no title of its own.
    """
    if is_formatted(text):
        return text
    placed = place(list(blocks(clean(text))))
    own = " ".join((placed.title or title or "").split())
    return write(own or DEFAULT_TITLE, placed.entries)
