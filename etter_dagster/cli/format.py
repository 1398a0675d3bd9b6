"""`etter format`: a document under the headings of a job description, no sentence lost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etter_dagster.cli.failures import remember_json


def format_file(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A job description: Markdown, text, HTML.", show_default=False
        ),
    ],
    title: Annotated[
        str | None,
        typer.Option(
            "--title",
            metavar="TEXT",
            help="The title, where the document has none of its own.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        bool,
        typer.Option("--json", help="A JSON object on standard output.", callback=remember_json),
    ] = False,
) -> None:
    """Writes a document under the headings of a job description: by rules, no sentence lost."""
    from etter_dagster.assessors.formatting.jd import format_jd
    from etter_dagster.cli.files import read_text
    from etter_dagster.cli.output import print_json, tell_text

    text = format_jd(read_text(file, field="FILE"), title=title)
    if json:
        print_json({"id": str(file), "formatted": text})
    else:
        tell_text(text.removesuffix("\n"))
