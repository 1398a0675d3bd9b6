"""A JD's parts as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from etter_dagster.assessors.exposure.layout import Kind
from etter_dagster.assessors.formatting.places import REQUIRED, Part
from etter_dagster.assessors.formatting.placing import Entry


def write(title: str, entries: Sequence[Entry]) -> str:
    """The Markdown: parts that hold something, in their order; themes in order of appearance."""
    chunks = [f"# {title}"]
    for part in (Part.OVERVIEW, Part.RESPONSIBILITIES):
        chunks += _part(f"## {part.value}", "###", [e for e in entries if e.part is part])
    if any(entry.part in REQUIRED for entry in entries):
        chunks.append("## Requirements")
    for part in REQUIRED:
        chunks += _part(f"### {part.value}", "####", [e for e in entries if e.part is part])
    return "\n\n".join(chunks) + "\n"


def _part(heading: str, below: str, entries: Sequence[Entry]) -> Iterator[str]:
    if not entries:
        return
    yield heading
    themes: dict[str, list[Entry]] = {"": []}
    for entry in entries:
        themes.setdefault(entry.theme, []).append(entry)
    for theme, own in themes.items():
        if theme:
            yield f"{below} {theme}"
        for kind, group in groupby(own, key=lambda entry: entry.kind):
            yield from _blocks(kind, group)


def _blocks(kind: Kind, entries: Iterable[Entry]) -> Iterator[str]:
    if kind is Kind.ITEM:
        yield "\n".join(f"- {entry.text}" for entry in entries)
    elif kind is Kind.ROW:
        yield "\n".join(_table([entry.cells for entry in entries]))
    elif kind is Kind.PARAGRAPH:
        for entry in entries:
            # A sentence that begins with `#` is no heading.
            yield f"\\{entry.text}" if entry.text.startswith("#") else entry.text


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    for at, row in enumerate(rows):
        yield "| " + " | ".join(row).rstrip() + " |"
        if at == 0:
            yield "|" + " --- |" * len(row)
